from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from db.reports.shifts import DEFAULT_SHIFTS, NO_SHIFT, Shift, shift_of

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_usual_shifts_cover_the_day_once() -> None:
    for hour in range(24):
        assert sum(hour in shift for shift in DEFAULT_SHIFTS) == 1


def test_after_midnight_belongs_to_the_evening_before() -> None:
    two_at_night = datetime(2026, 1, 10, 1, tzinfo=UTC)  # 02:00 in Berlin
    assert shift_of(two_at_night, DEFAULT_SHIFTS, BERLIN) == ("night", date(2026, 1, 9))
    late_evening = datetime(2026, 1, 10, 21, tzinfo=UTC)  # 22:00 in Berlin
    assert shift_of(late_evening, DEFAULT_SHIFTS, BERLIN) == ("night", date(2026, 1, 10))
    morning = datetime(2026, 1, 10, 5, tzinfo=UTC)  # 06:00 in Berlin
    assert shift_of(morning, DEFAULT_SHIFTS, BERLIN) == ("early", date(2026, 1, 10))


def test_an_hour_outside_every_shift_is_named_so() -> None:
    only_day = (Shift("day", 8, 16),)
    assert shift_of(datetime(2026, 1, 10, 20, tzinfo=UTC), only_day, UTC)[0] == NO_SHIFT


def test_a_shift_may_end_at_midnight() -> None:
    evening = Shift("evening", 16, 24)
    assert 23 in evening
    assert 0 not in evening
