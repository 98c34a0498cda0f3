"""Spans: the shifts of a line, and the time between them, as rows without holes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, exists, func, select, text

from db.base import table_of
from db.session import reading
from db.tables import ShiftSpan
from db.upsert import insert_many_into, many
from linewatch.calendar_spec import PLANT
from quality.shifts.shift_calendar import Calendars, ShiftInstance

_TABLE = table_of(ShiftSpan)
_C = _TABLE.c
# One of these at a time; who only looks spans up does not wait.
_LOCK = "LOCK TABLE shift_spans IN SHARE ROW EXCLUSIVE MODE"
_PATIENCE = "SET LOCAL lock_timeout = '10s'"


class Reach(NamedTuple):
    """From where to where the spans of a line go."""

    starts: datetime
    ends: datetime


def spans(engine: Engine, line: str, since: datetime, until: datetime) -> list[ShiftInstance]:
    """Those of a line, else the plant's, that hold `since` or touch `since` <= t < `until`."""
    with reading(engine) as connection:
        return within(connection, line, since, until)


def within(
    connection: Connection, line: str, since: datetime, until: datetime
) -> list[ShiftInstance]:
    """The same in a transaction."""
    own = connection.scalar(select(exists().where(_C.line == line)))
    query = select(_C.starts_at, _C.ends_at, _C.shift, _C.plant_day).where(
        _C.line == (line if own else PLANT),
        (_C.starts_at < until) | (_C.starts_at <= since),
        _C.ends_at > since,
    )
    return [ShiftInstance(*row) for row in connection.execute(query.order_by(_C.starts_at))]


def running(connection: Connection, now: datetime) -> dict[str, ShiftInstance]:
    """The span that runs now of each line that has a calendar of its own, and `PLANT`'s."""
    query = select(_C.line, _C.starts_at, _C.ends_at, _C.shift, _C.plant_day)
    query = query.where(_C.starts_at <= now, _C.ends_at > now)
    return {line: ShiftInstance(*span) for line, *span in connection.execute(query)}


def reaches(connection: Connection) -> dict[str, Reach]:
    """How far the spans of each line go that has some."""
    query = select(_C.line, func.min(_C.starts_at), func.max(_C.ends_at)).group_by(_C.line)
    return {line: Reach(*ends) for line, *ends in connection.execute(query)}


def lock_spans(connection: Connection) -> None:
    """Wait until no other transaction makes spans, and keep them from it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_PATIENCE))
        connection.execute(text(_LOCK))


def extend(connection: Connection, line: str, calendars: Calendars, wanted: Reach) -> int:
    """Make what is missing of a line's spans at either end; returns how many."""
    have = reaches(connection).get(line)
    if have is None:
        return _add(connection, line, calendars.intervals(*wanted))
    made = 0
    if wanted.starts < have.starts:
        made += _add(
            connection, line, _within(calendars, Reach(wanted.starts, have.starts), cut="end")
        )
    if have.ends < wanted.ends:
        made += _add(
            connection, line, _within(calendars, Reach(have.ends, wanted.ends), cut="start")
        )
    return made


def renew(connection: Connection, line: str, calendars: Calendars, wanted: Reach) -> datetime:
    """Make a line's spans anew, from the one that holds `wanted.starts` on.

    Returns:
        Where the first of them begins. What ended before that stays as it was.
    """
    fresh = list(calendars.intervals(*wanted))
    begins = fresh[0].starts
    after = (_C.line == line, _C.ends_at > begins)
    cut = select(_C.starts_at, _C.shift, _C.plant_day).where(*after, _C.starts_at < begins)
    before = [
        ShiftInstance(row.starts_at, begins, row.shift, row.plant_day)
        for row in connection.execute(cut)
    ]
    connection.execute(delete(_TABLE).where(*after))
    _add(connection, line, [*before, *fresh])
    return begins


def _within(calendars: Calendars, part: Reach, *, cut: str) -> Iterable[ShiftInstance]:
    """Intervals from `part.starts` to `part.ends`, none of them beyond the end that others meet."""
    for one in calendars.intervals(*part):
        starts = max(one.starts, part.starts) if cut == "start" else one.starts
        ends = min(one.ends, part.ends) if cut == "end" else one.ends
        yield ShiftInstance(starts, ends, one.name, one.day)


def _add(connection: Connection, line: str, instances: Iterable[ShiftInstance]) -> int:
    rows = [
        {
            "line": line,
            "starts_at": one.starts,
            "ends_at": one.ends,
            "shift": one.name,
            "plant_day": one.day,
        }
        for one in instances
    ]
    connection.execute(insert_many_into(connection, _TABLE), many(connection, rows))
    return len(rows)
