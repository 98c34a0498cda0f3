"""The one query of counted parts that every report about parts asks.

Counts are kept twice: by slices (quarter hours, cut where a shift begins) and by whole shifts. A
range is the whole shifts inside it and the slices at its two ends, so it is exact, and costs the
shifts in it and not the parts made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    cast,
    func,
    not_,
    select,
    union_all,
)

from db.base import table_of
from db.reports.part_reports.filters import FINE, TIMES, PartFilters
from db.reports.part_reports.period import Period
from db.reports.part_reports.times import Clock
from db.tables import PartCount, PartShiftCount
from quality.parts.tally import PartTally

Column = Callable[[Any], ColumnElement[Any]]
Key = tuple[Any, ...]
_SLICES = table_of(PartCount)
_SHIFTS = table_of(PartShiftCount)
# At an end of the range the slices of one shift are read. By the clock none is longer than a day,
# and what the clock is put back comes on top.
_LONGEST_SHIFT = timedelta(days=2)
_COUNTED_BY = ("disposition", "decided_by", "again", "serialised", "by_receipt")


def tallies(
    connection: Connection,
    filters: PartFilters,
    period: Period,
    by: Sequence[str],
    clock: Clock,
) -> dict[Key, PartTally]:
    """How parts ended, by the values of `by` as SQL has them, in their order.

    Without `by`, one tally.
    """
    columns = _columns(by, clock) | {f"c_{name}": _column(name) for name in _COUNTED_BY}
    columns["c_parts"] = _parts
    counted = _counted(filters, period, columns, fine=not FINE.isdisjoint(by))
    keys = [counted.c[name] for name in by]
    query = select(*keys, *_sums(counted)).group_by(*keys)
    if keys:  # counts that went down to nothing stay as rows
        query = query.having(func.sum(counted.c.c_parts) > 0)
    found = {
        tuple(row[: len(keys)]): PartTally(*(int(n or 0) for n in row[len(keys) :]))
        for row in connection.execute(query)
    }
    return dict(sorted(found.items()))


def combinations(
    connection: Connection,
    filters: PartFilters,
    period: Period,
    by: Sequence[str],
    clock: Clock,
) -> dict[Key, dict[tuple[str, ...], int]]:
    """Nonconforming first passes by the combination of classes on them, within each group."""
    columns = _columns(by, clock) | {"c_classes": _column("classes"), "c_parts": _parts}
    counted = _counted(filters, period, columns, fine=not FINE.isdisjoint(by), where=_nonconforming)
    keys = [counted.c[name] for name in by]
    query = select(*keys, counted.c.c_classes, func.sum(counted.c.c_parts))
    found: dict[Key, dict[tuple[str, ...], int]] = {}
    for row in connection.execute(query.group_by(*keys, counted.c.c_classes)):
        *key, classes, parts = row
        if parts:
            found.setdefault(tuple(key), {})[tuple(classes.split("+"))] = int(parts)
    return dict(sorted(found.items()))


def numbers(
    connection: Connection,
    filters: PartFilters,
    period: Period,
    columns: Sequence[str],
    where: Callable[[Any], ColumnElement[bool]] | None = None,
) -> dict[Key, int]:
    """How many counted passes there are of each combination of values in `columns`.

    Args:
        where: a condition on a row of either table of counts.
    """
    made = {f"c_{name}": _column(name) for name in (*columns, "parts")}
    counted = _counted(filters, period, made, fine=False, where=where)
    keys = [counted.c[f"c_{name}"] for name in columns]
    total = func.sum(counted.c.c_parts)
    rows = connection.execute(select(*keys, total).group_by(*keys).having(total > 0))
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


def _sums(counted: Subquery) -> Iterator[ColumnElement[Any]]:
    """In the order of a tally's fields."""
    c = counted.c
    first = not_(c.c_again)
    conditions = (
        and_(first, c.c_disposition == "conforming"),
        and_(first, c.c_disposition == "nonconforming"),
        and_(first, c.c_disposition == "open"),
        and_(first, c.c_decided_by == "model"),
        and_(first, c.c_decided_by == "person"),
        and_(first, not_(c.c_serialised)),
        and_(first, c.c_by_receipt),
        c.c_again,
    )
    for condition in conditions:
        yield func.sum(c.c_parts).filter(condition)


def _counted(
    filters: PartFilters,
    period: Period,
    columns: Mapping[str, Column],
    *,
    fine: bool,
    where: Callable[[Any], ColumnElement[bool]] | None = None,
) -> Subquery:
    """The rows of counts within the period, each once. `fine`: by slices alone."""
    branches = []
    for table, conditions in _slices(period) if fine else _shifts_and_ends(period):
        named = [table.c[name] == value for name, value in filters.names().items()]
        more = [] if where is None else [where(table.c)]
        query = select(*(make(table.c).label(label) for label, make in columns.items()))
        branches.append(query.where(*conditions, *named, *more))
    return _joined(branches).subquery("counted")


def _joined(branches: Sequence[Select[Any]]) -> Select[Any] | CompoundSelect[Any]:
    return branches[0] if len(branches) == 1 else union_all(*branches)


Branch = tuple[FromClause, list[ColumnElement[bool]]]


def _slices(period: Period) -> Iterator[Branch]:
    at = _SLICES.c.slice_at
    conditions = [] if period.since is None else [at >= period.since]
    yield _SLICES, conditions + ([] if period.until is None else [at < period.until])


def _shifts_and_ends(period: Period) -> Iterator[Branch]:
    """Whole shifts within; slices of the shift that began before; of the one that ends after."""
    since, until = period.since, period.until
    whole: list[ColumnElement[bool]] = []
    if since is not None:
        whole.append(_SHIFTS.c.shift_at >= since)
    if until is not None:
        whole += [_SHIFTS.c.shift_at < until, _SHIFTS.c.shift_ends_at <= until]
    yield _SHIFTS, whole
    c = _SLICES.c
    if since is not None:
        end = since + _LONGEST_SHIFT
        end = end if until is None else min(end, until)
        yield _SLICES, [c.slice_at >= since, c.slice_at < end, c.shift_at < since]
    if until is not None:
        start = until - _LONGEST_SHIFT
        start = start if since is None else max(start, since)
        last = [c.slice_at >= start, c.slice_at < until, c.shift_ends_at > until]
        yield _SLICES, last + ([] if since is None else [c.shift_at >= since])


def _columns(by: Sequence[str], clock: Clock) -> dict[str, Column]:
    return {name: _time(name, clock) if name in TIMES else _column(name) for name in by}


def _column(name: str) -> Column:
    return lambda columns: columns[name]


def _time(name: str, clock: Clock) -> Column:
    return lambda columns: clock.expression(name, columns)


def _parts(columns: Any) -> ColumnElement[int]:
    """In four bytes: of these PostgreSQL's sum has eight, of eight it is a decimal, and slow."""
    return cast(columns.parts, Integer)


def _nonconforming(columns: Any) -> ColumnElement[bool]:
    return and_(not_(columns.again), columns.disposition == "nonconforming")
