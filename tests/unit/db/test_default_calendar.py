"""The shifts of 0.1.0 as a calendar: every hour is in the shift that its reports put it in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.calendars.default import following
from db.reports.shifts import DEFAULT_SHIFTS, NO_SHIFT, Shift
from quality.shifts.shift_calendar import Calendar, Calendars


@pytest.mark.parametrize(
    "shifts",
    [
        DEFAULT_SHIFTS,
        (Shift("a", 0, 12), Shift("b", 12, 24)),
        (Shift("day", 8, 16),),
        (Shift("all", 6, 6),),
        (Shift("a", 5, 13), Shift("night", 22, 6)),
        (Shift("lunch", 11, 12), Shift("late", 20, 19)),
    ],
)
def test_each_hour_is_in_the_same_shift(shifts: Sequence[Shift]) -> None:
    specs = tuple(following(shifts))
    line = Calendars([Calendar(ZoneInfo("UTC"), tuple(spec.times for spec in specs))])
    for hour in range(48):
        when = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour, minutes=30)
        wanted = next((s.name for s in shifts if when.hour in s), NO_SHIFT)
        assert line.at(when).name.removesuffix(" (2)") == wanted
