"""When the first and the last part of each lot, or of what else, were made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, not_, select

from db.base import table_of
from db.reports.part_reports.filters import PartFilters
from db.tables import PartCount, PartShiftCount

_SLICES, _SHIFTS = table_of(PartCount), table_of(PartShiftCount)


def extents(
    connection: Connection, filters: PartFilters, name: str
) -> dict[str, tuple[datetime, datetime]]:
    """The slices of each group's first and last first pass, of whatever time.

    Each line's first and last shift say in which few slices to look.
    """
    s, c = _SHIFTS.c, _SLICES.c
    edges = (s.shift_at, s.shift_ends_at)
    first, last = (
        [edge(at, type_=at.type).label(f"{word}_{at.name}") for at in edges]
        for word, edge in (("min", func.min), ("max", func.max))
    )
    shifts = select(s[name], s.line, *first, *last).where(*_made(s, filters))
    of = shifts.group_by(s[name], s.line).subquery("of").c

    def found(edge: Any, since: Any, until: Any) -> Any:
        query = select(edge(c.slice_at, type_=c.slice_at.type)).where(
            c[name] == of[name], c.line == of.line, c.slice_at >= since, c.slice_at < until
        )
        return query.where(*_made(c, filters)).scalar_subquery()

    rows = connection.execute(
        select(
            of[name],
            found(func.min, of.min_shift_at, of.min_shift_ends_at),
            found(func.max, of.max_shift_at, of.max_shift_ends_at),
        )
    )
    slices: dict[str, tuple[datetime, datetime]] = {}
    for group, begins, ends in rows:
        before = slices.get(group, (begins, ends))
        slices[group] = (min(begins, before[0]), max(ends, before[1]))
    return slices


def _made(columns: Any, filters: PartFilters) -> Iterator[ColumnElement[bool]]:
    """First passes, as far as filters name them."""
    yield columns.parts > 0
    yield not_(columns.again)
    for name, value in filters.names().items():
        yield columns[name] == value
