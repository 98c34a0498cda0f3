"""Parts that still wait for a person: how many, why, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    ScalarSelect,
    Subquery,
    func,
    select,
    text,
)

from db.base import table_of
from db.clock import database_now
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown
from db.reports.report import Cell, Report, Row
from db.session import reading
from db.tables import Part, PartCount, PartShiftCount
from quality.parts.disposition import Disposition

_PARTS, _COUNTS, _SHIFTS = table_of(Part), table_of(PartCount), table_of(PartShiftCount)
_HOUR_S = 3600.0


class _Key(NamedTuple):
    line: str
    product: str
    why: str


class _Open(NamedTuple):
    parts: int
    oldest_at: datetime | None


def backlog(engine: Engine, filters: PartFilters, timezone: tzinfo) -> Report:
    """Open parts by line, product and why they are open, now.

    A row: `line, product, why, parts, unserialised, oldest_at, oldest_age_h`, the oldest first.
    Every pass counts, re-inspections too: each is to be looked at. Those without a serial number
    are known by their quarter hour alone, so their age is up to 15 minutes too much.

    Args:
        engine: the database.
        filters: by names; the range does not narrow it.
        timezone: the plant's.

    Raises:
        ReportError: no part is open, and a filter names what does not exist.
    """
    names = filters.names()
    with reading(engine) as connection:
        now = database_now(connection)
        serials = dict(_serialised(connection, names))
        others = dict(_unserialised(connection, names))
        if not serials and not others:
            refuse_unknown(connection, filters)
    rows = [
        _row(key, serials.get(key), others.get(key), now, timezone)
        for key in serials.keys() | others.keys()
    ]
    return Report(
        "backlog",
        "Open parts",
        tuple(sorted(rows, key=_order)),
        until=now.astimezone(timezone),
        empty="no part is open",
        blank=_row(_Key("", "", ""), None, None, now, timezone),
    )


def _row(
    key: _Key, serials: _Open | None, others: _Open | None, now: datetime, timezone: tzinfo
) -> Row:
    both = [one for one in (serials, others) if one is not None]
    oldest = min((one.oldest_at for one in both if one.oldest_at is not None), default=None)
    return {
        **key._asdict(),
        "parts": sum(one.parts for one in both),
        "unserialised": others.parts if others else 0,
        "oldest_at": oldest and oldest.astimezone(timezone),
        "oldest_age_h": None if oldest is None else (now - oldest).total_seconds() / _HOUR_S,
    }


def _order(row: Mapping[str, Cell]) -> tuple[float, str, str, str]:
    age: Any = row["oldest_age_h"]
    return (-(age or 0.0), str(row["line"]), str(row["product"]), str(row["why"]))


def _serialised(connection: Connection, names: dict[str, str]) -> Iterator[tuple[_Key, _Open]]:
    """How many from the counts; the oldest of each from the partial index of open parts."""
    first, c = _by_shifts(names, serialised=True), _PARTS.c
    oldest = (
        select(func.min(c.made_at, type_=c.made_at.type))
        .where(c.line == first.c.line, c.product == first.c.product, c.why == first.c.why)
        .where(text("disposition = 'open'"), c.counted, c.serial != "", *_named(c, names))
        .scalar_subquery()
    )
    yield from _counted(connection, first, oldest)


def _unserialised(connection: Connection, names: dict[str, str]) -> Iterator[tuple[_Key, _Open]]:
    """From the counts, which are all that there is of them.

    How many by whole shifts, which are few; the oldest slice then in the first of these alone.
    """
    first, c = _by_shifts(names, serialised=False), _COUNTS.c
    oldest = (
        select(func.min(c.slice_at, type_=c.slice_at.type))
        .where(c.line == first.c.line, c.product == first.c.product, c.why == first.c.why)
        .where(c.slice_at >= first.c.first_at, c.slice_at < first.c.ends_at)
        .where(c.shift_at == first.c.first_at, *_open(c, names, serialised=False))
        .scalar_subquery()
    )
    yield from _counted(connection, first, oldest)


def _by_shifts(names: dict[str, str], *, serialised: bool) -> Subquery:
    """How many, and the first shift in which any was made, with its end."""
    c = _SHIFTS.c
    dims = (c.line, c.product, c.why)
    first_at = func.min(c.shift_at, type_=c.shift_at.type).label("first_at")
    # Shifts of a line do not overlap, so the first to end is the first to begin.
    ends_at = func.min(c.shift_ends_at, type_=c.shift_ends_at.type).label("ends_at")
    query = select(*dims, func.sum(c.parts).label("parts"), first_at, ends_at)
    return query.where(*_open(c, names, serialised=serialised)).group_by(*dims).subquery()


def _counted(
    connection: Connection, first: Subquery, oldest: ScalarSelect[Any]
) -> Iterator[tuple[_Key, _Open]]:
    c = first.c
    for line, product, why, parts, oldest_at in connection.execute(
        select(c.line, c.product, c.why, c.parts, oldest)
    ):
        yield _Key(line, product, why), _Open(int(parts), oldest_at)


def _open(columns: Any, names: dict[str, str], *, serialised: bool) -> list[ColumnElement[bool]]:
    return [
        columns.disposition == str(Disposition.OPEN),
        columns.serialised.is_(serialised),
        columns.parts > 0,
        *_named(columns, names),
    ]


def _named(columns: Any, names: dict[str, str]) -> list[ColumnElement[bool]]:
    return [columns[name] == value for name, value in names.items()]
