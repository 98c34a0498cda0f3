"""What `linewatch shifts` reads, and how it says what shifts are and what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from linewatch.calendar_file import load_calendars
from linewatch.calendar_spec import PLANT, CalendarSpec
from linewatch.csv_cell import Cell
from linewatch.errors import LineError
from linewatch.nearest import did_you_mean
from quality.shifts.shift_calendar import NO_SHIFT, Calendars, ShiftInstance, clock_change
from quality.shifts.shift_times import WEEKDAYS, gaps

if TYPE_CHECKING:
    from sqlalchemy import Engine

_YEAR = timedelta(days=366)
_COMPARED = timedelta(days=28)
_MINUTE = timedelta(minutes=1)


def read(
    engine: Engine, file: Path, timezone: str, *, line: str | None, new_lines: bool
) -> dict[str, list[CalendarSpec]]:
    """A file's calendars by line, `PLANT` for all others.

    Args:
        timezone: the plant's.
        line: this line's alone.
        new_lines: whether a line may be named of which no picture came yet.

    Raises:
        CalendarError: the file is wrong.
        LineError: it names a line that is not there, or says nothing of `line`.
    """
    calendars = load_calendars(file, timezone)
    if line is not None:
        mine = calendars.get(line) or calendars.get(PLANT)
        if mine is None:
            raise LineError(f"{file} says nothing of line {line!r}{did_you_mean(line, calendars)}")
        calendars = {line: mine}
    for name in calendars:
        if name != PLANT and not new_lines:
            known_line(engine, name, "; --new-lines takes one that is still to come")
    return calendars


def known_line(engine: Engine, name: str, hint: str = "") -> str:
    """A line's name, if there is such a line.

    Args:
        engine: where lines are known.
        name: as it was typed.
        hint: what else may be done, for the end of the sentence.

    Raises:
        LineError: no picture came from it and it has no calendar; names the nearest.
    """
    from db.calendars.stored import stored
    from db.inspections.stations import all_lines
    from db.session import reading

    with reading(engine) as connection:
        known = {line for line in stored(connection) if line != PLANT}
    known |= {line.code for line in all_lines(engine)}
    if name in known:
        return name
    advice = did_you_mean(name, known) or "; a line appears with its first picture"
    raise LineError(f"no line is called {name!r}{advice}{hint}")


CELLS = ("day", "weekday", "shift", "starts", "ends", "minutes", "clocks")


def cells(instance: ShiftInstance, timezone: ZoneInfo) -> dict[str, Cell]:
    """A row of `shifts show`."""
    starts, ends = (at.astimezone(timezone) for at in (instance.starts, instance.ends))
    clocks = clock_change(instance, timezone) // _MINUTE
    return {
        "day": instance.day.isoformat(),
        "weekday": WEEKDAYS[instance.day.weekday()],
        "shift": instance.name,
        "starts": starts.isoformat(timespec="minutes"),
        "ends": ends.isoformat(timespec="minutes"),
        "minutes": (instance.ends - instance.starts) // _MINUTE,
        "clocks": f"{clocks:+d} min" if clocks else "",
    }


def differences(
    engine: Engine, calendars: Mapping[str, Sequence[CalendarSpec]], now: datetime
) -> Iterator[str]:
    """What an import would change, a line of words each."""
    from db.calendars.imports import first_days, with_imported
    from db.calendars.recount import parts_since
    from db.calendars.stored import effective, stored
    from db.session import reading

    with reading(engine) as connection:
        before = stored(connection)
    after = with_imported(before, calendars)
    for line, day in sorted(first_days(calendars, after).items()):
        own = [spec for spec in before.get(line, ()) if spec.valid_from >= day]
        old, new = effective(before, line), effective(after, line)
        yield f"{line or 'all lines without a calendar of their own'}: changes from {day} on"
        yield from (f"  {words}" for spec in calendars.get(line, ()) for words in _said(spec))
        yield from (f"  replaces the calendar valid from {spec.valid_from}" for spec in own)
        since = new.at(new.midnight(day)).starts
        yield f"  {_compared(old, new, since)}"
        yield from (f"  {words}" for words in _clock_changes(new, max(day, new.day_of(now))))
        if since < now:
            yield f"  {parts_since(engine, line, since)} parts made since would be looked at again"


def _said(spec: CalendarSpec) -> Iterator[str]:
    shifts = (f"{s.name} {s.starts}-{s.ends} {_days(s.days)}" for s in spec.shifts)
    yield f"from {spec.valid_from}, {spec.timezone}: {', '.join(shifts)}"
    for begins, ends in gaps([shift.times for shift in spec.shifts]):
        yield f"  {NO_SHIFT} from {begins} to {ends}"
    if spec.holidays:
        yield f"  no shift begins on {', '.join(map(str, sorted(spec.holidays)))}"


def _days(days: Sequence[str]) -> str:
    return "every day" if len(days) == len(WEEKDAYS) else " ".join(days)


def _compared(old: Calendars, new: Calendars, since: datetime) -> str:
    until = since + _COMPARED
    before, after = set(old.intervals(since, until)), list(new.intervals(since, until))
    other = sum(one not in before for one in after)
    return f"of the {len(after)} shifts and gaps of its first four weeks, {other} are other ones"


def _clock_changes(calendars: Calendars, first: date) -> Iterator[str]:
    """The shifts of a year in which the clocks change."""
    since = calendars.midnight(first)
    for one in calendars.intervals(since, since + _YEAR):
        change = clock_change(one, calendars.on(one.day).timezone)
        if change and one.name != NO_SHIFT:
            long = (one.ends - one.starts) // _MINUTE
            usual = long + change // _MINUTE
            yield f"{one.name} of {one.day} lasts {long} minutes, not {usual}: the clocks change"
