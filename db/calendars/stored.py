"""The calendars that were imported, and which of them hold on a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import ShiftCalendar
from linewatch.calendar_spec import PLANT, CalendarSpec, parse_stored_calendar
from linewatch.errors import CalendarError
from quality.shifts.shift_calendar import Calendars

Stored = dict[str, list[CalendarSpec]]  # by line, each by the day it is valid from
ALWAYS = date.min  # the default calendar is valid from


def stored(connection: Connection) -> Stored:
    """Every line's own calendars, and the plant's."""
    query = select(ShiftCalendar.line, ShiftCalendar.valid_from, ShiftCalendar.spec)
    found: Stored = {}
    for line, valid_from, spec in connection.execute(query.order_by(ShiftCalendar.valid_from)):
        found.setdefault(line, []).append(parse_stored_calendar(spec, valid_from))
    return found


def store(connection: Connection, line: str, specs: Sequence[CalendarSpec], *, by: str) -> None:
    """Add calendars of a line; none may be there that is valid from the same day."""
    now = database_now(connection)
    rows = [
        {
            "line": line,
            "valid_from": spec.valid_from,
            "spec": spec.model_dump(mode="json", exclude={"lines", "valid_from"}),
            "set_by": by,
            "set_at": now,
        }
        for spec in specs
    ]
    connection.execute(table_of(ShiftCalendar).insert(), rows)


def effective(calendars: Mapping[str, Sequence[CalendarSpec]], line: str) -> Calendars:
    """What holds on a line: its own calendars, and until the first of them the plant's.

    Raises:
        CalendarError: there is none yet.
    """
    own = calendars.get(line, ())
    plants = calendars.get(PLANT, ()) if line != PLANT else ()
    before = [spec for spec in plants if not own or spec.valid_from < own[0].valid_from]
    if not before and not own:
        raise CalendarError("there is no shift calendar yet; run `linewatch db upgrade`")
    return Calendars([spec.calendar for spec in (*before, *own)])


def calendar_of(engine: Engine, line: str) -> Calendars:
    """What holds on a line, `PLANT` for those without a calendar of their own.

    Raises:
        CalendarError: there is none yet.
    """
    with reading(engine) as connection:
        return effective(stored(connection), line)
