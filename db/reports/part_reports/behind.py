"""The parts behind a figure, newest first: a page of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, or_, select, tuple_

from db.base import table_of
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown
from db.session import reading
from db.tables import Part, PartShiftCount

_PARTS, _COUNTS = table_of(Part), table_of(PartShiftCount)


@dataclass(frozen=True, slots=True)
class PartRow:
    """One pass of a part."""

    product: str
    serial: str
    scope: str
    pass_number: int
    line: str
    lot: str
    disposition: str
    classes: str
    decided_by: str
    why: str
    model_version: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Which parts, beside the filters of reports.

    Attributes:
        class_code: that have this defect class.
        disposition: conforming, nonconforming or open.
        passes: 'first', as reports count parts, or 'all', re-inspections too.
        model_version: that judged them; '' means parts that none did.
        days: the first and the last plant day on which they were made: that of the shift, which
            may be the day before.
        after: behind this one in the list, by its `(made_at, product, serial, pass_number)`.
    """

    class_code: str | None = None
    disposition: str | None = None
    passes: str = "first"
    model_version: str | None = None
    days: tuple[date, date] | None = None
    after: tuple[datetime, str, str, int] | None = None


_ROUND_A_DAY = timedelta(days=3)  # a clock may be 14 hours from UTC, a shift begin a day before
_COLUMNS = [_PARTS.c[name] for name in PartRow.__slots__]
_ORDER = [_PARTS.c[name] for name in ("made_at", "product", "serial", "pass_number")]


def parts_behind(
    engine: Engine, filters: PartFilters, narrowed: Narrowed, limit: int
) -> list[PartRow]:
    """Up to `limit` parts, the ones made last first.

    The counts by shift say back to when there are so many, so that a page of a year's parts reads
    a few shifts of them. Parts without a serial number have no row until something happens to them
    after their commit, so they may be missing.

    Raises:
        ReportError: nothing was found, and a filter names what does not exist.
    """
    filters = _near(filters, narrowed.days)
    with reading(engine) as connection:
        last = filters.until if narrowed.after is None else narrowed.after[0]
        found: list[PartRow] = []
        for begins in _beginnings(connection, filters, narrowed, last, limit):
            query = _query(filters, narrowed, begins).limit(limit)
            found = [PartRow(*row) for row in connection.execute(query)]
            if len(found) == limit:
                break
        if not found and narrowed.after is None:
            refuse_unknown(connection, filters)
    return found


def _near(filters: PartFilters, days: tuple[date, date] | None) -> PartFilters:
    """No further than these days can reach, by any clock and with any shift."""
    if days is None:
        return filters
    begins, ends = (datetime.combine(day, time(), UTC) for day in days)
    since, until = begins - _ROUND_A_DAY, ends + _ROUND_A_DAY
    return replace(
        filters,
        since=since if filters.since is None else max(since, filters.since),
        until=until if filters.until is None else min(until, filters.until),
    )


def _beginnings(
    connection: Connection,
    filters: PartFilters,
    narrowed: Narrowed,
    last: datetime | None,
    limit: int,
) -> list[datetime]:
    """From when on to look: first where the counts say there are enough, then from the beginning.

    More are counted than have rows, since those without serial numbers are counted as well.
    """
    shift, parts = _COUNTS.c.shift_at, func.sum(_COUNTS.c.parts)
    query = select(shift, parts).where(*_where(_COUNTS, filters, narrowed)).group_by(shift)
    if narrowed.passes == "first":
        query = query.where(~_COUNTS.c.again)
    if filters.since is not None:
        query = query.where(_COUNTS.c.shift_ends_at > filters.since)
    if last is not None:
        query = query.where(shift <= last)
    seen, wanted, starts = 0, limit + 1, []
    begins: datetime | None = None
    for begins, count in connection.execute(query.order_by(shift.desc())):
        seen += int(count)
        if seen >= wanted:
            starts.append(begins)
            wanted = seen * 8  # so few that did not suffice: look much further back
    if begins is not None and (not starts or starts[-1] != begins):
        starts.append(begins)
    return starts


def _where(table: Any, filters: PartFilters, narrowed: Narrowed) -> list[ColumnElement[bool]]:
    conditions = [table.c[name] == value for name, value in filters.names().items()]
    if narrowed.model_version is not None:
        conditions.append(table.c.model_version == narrowed.model_version)
    if narrowed.days is not None:
        conditions.append(table.c.plant_day.between(*narrowed.days))
    if narrowed.disposition is not None:
        conditions.append(table.c.disposition == narrowed.disposition)
    if (code := narrowed.class_code) is not None:
        classes = table.c.classes
        conditions.append(
            or_(
                classes == code,
                classes.startswith(f"{code}+", autoescape=True),
                classes.endswith(f"+{code}", autoescape=True),
                classes.contains(f"+{code}+", autoescape=True),
            )
        )
    return conditions


def _query(filters: PartFilters, narrowed: Narrowed, begins: datetime) -> Select[Any]:
    made = _PARTS.c.made_at
    since = begins if filters.since is None else max(begins, filters.since)
    query = select(*_COLUMNS).where(_PARTS.c.counted, made >= since)
    query = query.where(*_where(_PARTS, filters, narrowed))
    if narrowed.passes == "first":
        query = query.where(_PARTS.c.pass_number == 1)
    if filters.until is not None:
        query = query.where(made < filters.until)
    if narrowed.after is not None:
        query = query.where(made <= narrowed.after[0], tuple_(*_ORDER) < narrowed.after)
    return query.order_by(*(column.desc() for column in _ORDER))
