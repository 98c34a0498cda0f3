"""What the cells of a report are, by their values and their columns' names. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum, auto

from db.reports.report import Cell
from linewatch.report_files.cells import is_share


class Kind(Enum):
    """What all cells of a column are; None may be among them."""

    TEXT = auto()
    COUNT = auto()
    NUMBER = auto()
    SHARE = auto()  # 0 to 1, shown as per cent
    TRUTH = auto()
    DATE = auto()
    INSTANT = auto()


# In this order, since a bool is an int and a datetime a date.
_TYPES = (
    (Kind.TRUTH, bool),
    (Kind.COUNT, int),
    (Kind.INSTANT, datetime),
    (Kind.DATE, date),
)


def kind_of(name: str, cells: Iterable[Cell]) -> Kind:
    """A column's kind; cells of several kinds are text, unless all are numbers.

    A column without a value has the kind that its name says, so that a file of a quiet day has the
    same columns as any other.
    """
    held = [cell for cell in cells if cell is not None]
    if not held:
        return _kind_by_name(name)
    for kind, type_ in _TYPES:
        if all(isinstance(cell, type_) and not _is_narrower(cell, kind) for cell in held):
            return kind
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in held):
        return Kind.SHARE if is_share(name) else Kind.NUMBER
    return Kind.TEXT


def _is_narrower(cell: Cell, kind: Kind) -> bool:
    """Whether Python takes it for an int or a date, and it is more than that."""
    return (kind is Kind.COUNT and isinstance(cell, bool)) or (
        kind is Kind.DATE and isinstance(cell, datetime)
    )


def _kind_by_name(name: str) -> Kind:
    if is_share(name):
        return Kind.SHARE
    if name.endswith("_at"):
        return Kind.INSTANT
    return Kind.NUMBER if name == "ppm" or name.endswith(("_s", "_h")) else Kind.TEXT
