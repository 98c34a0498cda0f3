"""The plant's calendar where nobody has imported one: the shifts of 0.1.0, by whole hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from sqlalchemy import Connection

from db.calendars.stored import ALWAYS
from db.reports.shifts import Shift, shifts_in
from linewatch.calendar_spec import CalendarSpec, ShiftSpec
from quality.shifts.shift_times import NO_SHIFT

_HOURS = 24


def default_calendar(connection: Connection, timezone: tzinfo) -> CalendarSpec:
    """The shifts that the old table holds, or the usual three; every day, for all time."""
    shifts = tuple(following(shifts_in(connection)))
    return CalendarSpec(timezone=str(timezone), valid_from=ALWAYS, shifts=shifts)


def following(shifts: Sequence[Shift]) -> Iterator[ShiftSpec]:
    """Where shifts overlap, the first one listed wins, as in the reports of 0.1.0.

    What is left of a shift on both sides of another is two, the second with a number.
    """
    names = [
        next((shift.name for shift in shifts if hour in shift), NO_SHIFT) for hour in range(_HOURS)
    ]
    begins = [hour for hour in range(_HOURS) if names[hour - 1] != names[hour]]
    begins = begins or [shifts[0].starts_hour]  # one that has all hours
    used: list[str] = []
    for hour, end in zip(begins, [*begins[1:], begins[0]], strict=True):
        name = names[hour]
        used.append(name)
        if name != NO_SHIFT:
            number = f" ({used.count(name)})" if used.count(name) > 1 else ""
            yield ShiftSpec(name=f"{name}{number}", starts=f"{hour}:00", ends=f"{end}:00")
