"""Spans are made ahead of time, so that whoever counts a part only looks one up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.exc import DBAPIError

from db.base import table_of
from db.calendars.default import default_calendar
from db.calendars.spans import Reach, extend, lock_spans, reaches
from db.calendars.stored import ALWAYS, effective, store, stored
from db.clock import database_now
from db.outage import denied
from db.session import reading, transaction
from db.tables import InspectionHourly, PartCount, ShiftCalendar, ShiftSpan
from linewatch.calendar_spec import PLANT

log = logging.getLogger(__name__)

AHEAD = timedelta(days=731)
_LEAST_AHEAD = timedelta(days=700)  # so that not every night writes
_BACK = timedelta(days=400)
_OLDEST_PICTURE = timedelta(days=31)  # before its verdict: an older time is not believed
_WARN_BEFORE = timedelta(days=60)


def ensure_spans(connection: Connection, timezone: tzinfo, now: datetime | None = None) -> int:
    """Make the plant's default calendar if it has none, and every line's spans two years ahead.

    They begin 400 days ago, or where the first counted picture may have been made if that is
    earlier. Cheap where nothing is missing; several at once are harmless. The default calendar
    follows the plant's time zone for as long as no part was counted by it.

    Args:
        timezone: the plant's.

    Returns:
        How many spans were made.

    Raises:
        sqlalchemy.exc.DBAPIError: something is missing, and this user has no right to make it.
    """
    wanted = span_range(connection, now)
    if not _missing(connection, timezone, wanted):
        return 0
    lock_spans(connection)
    if _default_is_wanted(connection, timezone):
        _make_default(connection, timezone)
    calendars = stored(connection)
    return sum(
        extend(connection, line, effective(calendars, line), wanted)
        for line in sorted({PLANT, *calendars})
    )


def spans_ensured(engine: Engine, timezone: tzinfo) -> int:
    """The same in a transaction of its own; who lacks the right says so in the log and goes on."""
    try:
        with transaction(engine) as connection:
            return ensure_spans(connection, timezone)
    except DBAPIError as error:
        if not denied(error):
            raise
        log.warning(
            "shifts are not made ahead, for which this user has no right: "
            "run `linewatch db upgrade`, or a maintenance worker"
        )
        return 0


def span_range(connection: Connection, now: datetime | None = None) -> Reach:
    """From where to where every line shall have spans."""
    now = now or database_now(connection)
    oldest = connection.scalar(select(func.min(InspectionHourly.hour)))
    starts = now - _BACK if oldest is None else min(now - _BACK, oldest - _OLDEST_PICTURE)
    return Reach(starts, now + AHEAD)


def complaints(engine: Engine, timezone: tzinfo, now: datetime | None = None) -> Iterator[str]:
    """What is wrong with the spans, a sentence each that says what to do."""
    soon = (now or datetime.now(UTC)) + _WARN_BEFORE
    with reading(engine) as connection:
        calendars, have = stored(connection), reaches(connection)
    for line in sorted({PLANT, *calendars}):
        whose = f"of line {line!r}" if line else "of the plant"
        if line not in have:
            yield f"no shifts {whose} were made yet; run `linewatch db upgrade`"
        elif have[line].ends < soon:
            yield (
                f"the shifts {whose} are made up to {have[line].ends:%Y-%m-%d}; run `linewatch db "
                "upgrade` now, and a worker for the maintenance queue for what comes after"
            )
    default = [spec.timezone for spec in calendars.get(PLANT, ()) if spec.valid_from == ALWAYS]
    if len(calendars.get(PLANT, ())) == 1 and default not in ([], [str(timezone)]):
        yield (
            f"parts are counted by shifts in {default[0]}, and LINEWATCH_PLANT_TIMEZONE is "
            f"{timezone}; `linewatch shifts import` a calendar that says from which day on"
        )


def _missing(connection: Connection, timezone: tzinfo, wanted: Reach) -> bool:
    lines = set(connection.scalars(select(ShiftCalendar.line).distinct()))
    have = reaches(connection)
    latest = wanted.ends - (AHEAD - _LEAST_AHEAD)
    return (
        any(
            line not in have or have[line].starts > wanted.starts or have[line].ends < latest
            for line in {PLANT, *lines}
        )
        or PLANT not in lines
        or _default_is_wanted(connection, timezone)
    )


def _default_is_wanted(connection: Connection, timezone: tzinfo) -> bool:
    """Whether the plant has no calendar, or has a default of another zone that counted nothing."""
    plants = stored(connection).get(PLANT, [])
    if not plants:
        return True
    if len(plants) > 1 or plants[0].valid_from != ALWAYS or plants[0].timezone == str(timezone):
        return False
    return connection.scalar(select(PartCount.parts).limit(1)) is None


def _make_default(connection: Connection, timezone: tzinfo) -> None:
    table = table_of(ShiftCalendar)
    connection.execute(delete(table).where(table.c.line == PLANT))
    connection.execute(delete(table_of(ShiftSpan)))  # lines of their own begin with the plant's
    store(connection, PLANT, [default_calendar(connection, timezone)], by="linewatch")
