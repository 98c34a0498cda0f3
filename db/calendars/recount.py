"""What was counted by the shifts of before is counted by those that hold now, day by day.

Each day is a transaction of its own, and a second time changes nothing: what was cut short is done
again from its beginning. Workers and people go on meanwhile. What they write is counted by the new
spans, and a part's own row says what was counted of it before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine, exists, func, select, text
from sqlalchemy.exc import DBAPIError

from db.calendars.imports import Change
from db.calendars.moving import Window, move_shifts
from db.calendars.stored import calendar_of
from db.clock import database_now
from db.outage import sqlstate
from db.session import reading, transaction
from db.tables import PartCount, PartShiftCount, ShiftCalendar
from linewatch.calendar_spec import PLANT
from linewatch.errors import CalendarError
from quality.shifts.shift_calendar import Calendars, quarter_hour

_AHEAD = timedelta(hours=1)  # clocks of cameras that are believed though they are ahead
_DEADLOCK = "40P01"
_TRIES = 5
_LONGEST_WAIT_S = 60.0
_POLL_S = 0.02
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted"
    " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation IN (to_regclass('inspections'), to_regclass('parts'))"
)


@dataclass(slots=True)
class Recount:
    """What was counted anew.

    Attributes:
        days: plant days of lines on which anything is counted.
        moved: parts that are in another slice now.
        inexact: days with pictures without a serial number that are purged in part, so that a
            quarter hour of theirs could not be split where a shift begins within it.
    """

    days: int = 0
    moved: int = 0
    inexact: set[date] = field(default_factory=set)


def recounted(engine: Engine, changes: Sequence[Change]) -> Recount:
    """Count anew what was made since each change.

    Raises:
        CalendarError: somebody has been writing for a minute, perhaps by the spans of before.
    """
    _await_writers(engine)
    found = Recount()
    for change in changes:
        for window in _windows(engine, change):
            done = _moved(engine, window)
            if done is not None:
                moved, inexact = done
                found.days += 1
                found.moved += moved
                found.inexact |= {window.day} if inexact else set()
    return found


def parts_since(engine: Engine, line: str, since: datetime) -> int:
    """How many parts of a line, or of those without a calendar of their own, are counted since."""
    query = select(func.coalesce(func.sum(PartCount.parts), 0)).where(PartCount.slice_at >= since)
    if line != PLANT:
        query = query.where(PartCount.line == line)
    else:
        own = select(ShiftCalendar.line).where(ShiftCalendar.line != PLANT)
        query = query.where(PartCount.line.not_in(own))
    with reading(engine) as connection:
        return int(connection.scalar(query) or 0)


def _windows(engine: Engine, change: Change) -> Iterator[Window]:
    """The plant's days since a change, from quarter hour to quarter hour."""
    calendars: Calendars = calendar_of(engine, change.line)
    with reading(engine) as connection:
        until = quarter_hour(database_now(connection) + _AHEAD)
    since, day = quarter_hour(change.since), calendars.day_of(change.since)
    while since < until:
        following = quarter_hour(calendars.midnight(day + timedelta(days=1)))
        yield Window(change.line, day, since, min(following, until))
        since, day = following, day + timedelta(days=1)


def _moved(engine: Engine, window: Window) -> tuple[int, bool] | None:
    """Move one day; None where nothing is counted."""
    for last in (*(False,) * (_TRIES - 1), True):
        try:
            with transaction(engine) as connection:
                return move_shifts(connection, window) if _counts(connection, window) else None
        except DBAPIError as error:
            if last or sqlstate(error) != _DEADLOCK:
                raise
    return None


def _counts(connection: Connection, window: Window) -> bool:
    """Whether anything is counted of the window, or of a shift that began in it."""
    return any(
        connection.scalar(select(exists().where(at >= window.since, at < window.until)))
        for at in (PartCount.slice_at, PartShiftCount.shift_at)
    )


def _await_writers(engine: Engine) -> None:
    """Wait for those who were writing already: they may have looked up the spans of before."""
    if engine.dialect.name != "postgresql":
        return
    deadline = time.monotonic() + _LONGEST_WAIT_S
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        before = set(connection.scalars(_WRITERS))
        while before & set(connection.scalars(_WRITERS)):
            if time.monotonic() > deadline:
                raise CalendarError(
                    "somebody has been writing parts for a minute, so nothing was counted anew "
                    "yet; import the file again later"
                )
            time.sleep(_POLL_S)
