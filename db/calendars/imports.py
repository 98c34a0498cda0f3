"""Calendars that people import, in the place of what held from their first day on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete

from db import audit
from db.base import table_of
from db.calendars.ahead import span_range
from db.calendars.spans import Reach, lock_spans, reaches, renew
from db.calendars.stored import Stored, effective, store, stored
from db.tables import ShiftCalendar
from linewatch.calendar_spec import PLANT, CalendarSpec
from quality.shifts.shift_calendar import Calendars


@dataclass(frozen=True, slots=True)
class Change:
    """Since when a line's spans are new: an instant at which one of them begins."""

    line: str
    since: datetime


def imported(
    connection: Connection, calendars: Mapping[str, Sequence[CalendarSpec]], *, by: str
) -> list[Change]:
    """Replace each line's calendars from the first day of its new ones on, and its spans; audited.

    Spans that ended before that stay as they were. Who counts has new spans from the commit on;
    what was counted before is moved by `db.calendars.recount`.

    Args:
        calendars: by line, `PLANT` for those without their own; each by the day it is valid from.
        by: who the audit log says imported them.

    Returns:
        Each line of which spans are new, in order; also lines that follow the plant's calendar
        until a later day of their own.

    Raises:
        CalendarError: the plant has no calendar yet.
    """
    lock_spans(connection)
    effective(with_imported(stored(connection), calendars), PLANT)
    for line, specs in sorted(calendars.items()):
        table = table_of(ShiftCalendar)
        later = table.c.valid_from >= specs[0].valid_from
        connection.execute(delete(table).where(table.c.line == line, later))
        store(connection, line, specs, by=by)
    wanted = span_range(connection)
    now_stored = stored(connection)
    changes = [
        Change(line, _renewed(connection, line, effective(now_stored, line), day, wanted))
        for line, day in sorted(first_days(calendars, now_stored).items())
    ]
    for line, specs in sorted(calendars.items()):
        detail = {"calendars": [spec.model_dump(mode="json", exclude={"lines"}) for spec in specs]}
        audit.append(connection, by, "shifts.import", line or "all lines", detail)
    return changes


def with_imported(now_stored: Stored, calendars: Mapping[str, Sequence[CalendarSpec]]) -> Stored:
    """What would be stored after an import."""
    after = {line: list(specs) for line, specs in now_stored.items()}
    for line, specs in calendars.items():
        kept = [spec for spec in after.get(line, ()) if spec.valid_from < specs[0].valid_from]
        after[line] = [*kept, *specs]
    return after


def first_days(
    calendars: Mapping[str, Sequence[CalendarSpec]], now_stored: Stored
) -> dict[str, date]:
    """By line, the first day on which an import changes its shifts.

    Args:
        now_stored: with what was imported.
    """
    days = {line: specs[0].valid_from for line, specs in calendars.items()}
    plants = days.get(PLANT)
    if plants is not None:
        for line, own in now_stored.items():
            if own[0].valid_from > plants:  # until then it follows the plant's
                days[line] = min(plants, days.get(line, plants))
    return days


def _renewed(
    connection: Connection, line: str, calendars: Calendars, day: date, wanted: Reach
) -> datetime:
    """Make the spans from a day on; all of them, where the line had none of its own.

    A day beyond those that are made ahead is for later.
    """
    have = reaches(connection).get(line)
    since = max(calendars.midnight(day), wanted.starts)
    begins = calendars.at(since).starts  # of a shift that the new calendar may have cut short
    if have is None or have.starts > begins:
        renew(connection, line, calendars, wanted)
    elif begins < wanted.ends:
        renew(connection, line, calendars, Reach(begins, wanted.ends))
    return begins
