"""Names that no part has: an error, with the known one that was probably meant."""

from __future__ import annotations

from heapq import nlargest

from sqlalchemy import Connection, select

from db.base import table_of
from db.reports.part_reports.filters import PartFilters
from db.tables import DefectClass, Line, PartShiftCount, Product, ShiftSpan
from linewatch.errors import ReportError
from linewatch.nearest import nearest
from linewatch.plain_text import visible

_COUNTS = table_of(PartShiftCount).c
# Where a plant names them, whether parts have them already or not.
_CATALOGUE = {
    "line": table_of(Line).c.code,
    "product": table_of(Product).c.code,
    "shift": table_of(ShiftSpan).c.shift,
}
_MOST_COMPARED = 1000  # names; comparing is slow
_SHOWN = 5


def refuse_unknown(connection: Connection, filters: PartFilters) -> None:
    """Refuse a filter by a name that nothing has. Reads all counts: ask when a report is empty.

    Raises:
        ReportError: there is none such.
    """
    for column, name in filters.names().items():
        if name:
            refuse_name(column, name, _known(connection, column))


def refuse_unknown_class(connection: Connection, name: str, product: str | None) -> None:
    """Refuse a class that no product has and no part was found to have, and one that is good.

    Raises:
        ReportError: there is none such.
    """
    classes = table_of(DefectClass).c
    query, named = select(classes.code), classes.code == name
    counted = select(_COUNTS.classes).distinct()
    if product is not None:
        query = query.where(classes.product == product)
        counted = counted.where(_COUNTS.product == product)
    known = set(connection.scalars(query))
    known.update(*(found.split("+") for found in connection.scalars(counted)))
    refuse_name("class", name, known - {""})
    if set(connection.scalars(query.with_only_columns(classes.good).where(named))) == {True}:
        raise ReportError(f"{name!r} is the good class, which no nonconforming part has")


def _known(connection: Connection, column: str) -> set[str]:
    known = set(connection.scalars(select(_COUNTS[column]).distinct()))
    if column in _CATALOGUE:
        known.update(connection.scalars(select(_CATALOGUE[column]).distinct()))
    return known - {""}


def refuse_name(kind: str, name: str, known: set[str]) -> None:
    """Refuse a name that is not among the known ones.

    Raises:
        ReportError: says the nearest, or some.
    """
    if name in known:
        return
    kind = kind.replace("_", " ")
    raise ReportError(f"no {kind} is called {name!r}{_hint(name, known)}")


def _shared(one: str, other: str) -> int:
    """How many characters two names begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _hint(name: str, known: set[str]) -> str:
    """The nearest, else some of those there are."""
    alike = nlargest(_MOST_COMPARED, sorted(known), key=lambda one: _shared(one, name))
    found = nearest(name, alike)
    if found is not None:
        return f"; did you mean {found!r}?"
    if not known:
        return "; there is none yet"
    more = ", …" if len(known) > _SHOWN else ""
    return f"; known: {', '.join(map(visible, sorted(known)[:_SHOWN]))}{more}"
