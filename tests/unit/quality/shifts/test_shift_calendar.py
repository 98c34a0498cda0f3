"""Shifts in a plant's own time: minutes, nights, holidays, changed clocks, changed calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.shifts.shift_calendar import (
    NO_SHIFT,
    Calendar,
    Calendars,
    ShiftTimes,
    clock_change,
    quarter_hour,
)
from quality.shifts.shift_times import gaps

BERLIN = ZoneInfo("Europe/Berlin")
THREE = (
    ShiftTimes("early", time(5, 50), time(13, 50)),
    ShiftTimes("late", time(13, 50), time(21, 50)),
    ShiftTimes("night", time(21, 50), time(5, 50)),
)
MONDAY_TO_FRIDAY = frozenset(range(5))


def berlin(*when: int, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=BERLIN, fold=fold)  # type: ignore[arg-type, misc]


def shift(calendars: Calendars, when: datetime) -> tuple[str, date]:
    instance = calendars.at(when)
    return instance.name, instance.day


def test_a_shift_begins_at_its_minute() -> None:
    line = Calendars([Calendar(BERLIN, THREE)])
    assert shift(line, berlin(2026, 6, 1, 5, 49)) == ("night", date(2026, 5, 31))
    assert shift(line, berlin(2026, 6, 1, 5, 50)) == ("early", date(2026, 6, 1))
    assert shift(line, berlin(2026, 6, 1, 13, 49, 59)) == ("early", date(2026, 6, 1))
    assert shift(line, berlin(2026, 6, 1, 13, 50)) == ("late", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9), (date(2026, 6, 1), 8)]
)
def test_a_night_over_a_change_of_the_clocks(day: date, hours: int) -> None:
    (night,) = [one for one in Calendar(BERLIN, THREE).begun_on(day) if one.name == "night"]
    assert night.ends - night.starts == timedelta(hours=hours)


def test_an_hour_that_comes_twice_is_in_one_shift_each_time() -> None:
    halves = (
        ShiftTimes("a", time(22), time(2, 30)),
        ShiftTimes("b", time(2, 30), time(6)),
    )
    line = Calendars([Calendar(BERLIN, halves)])
    first, second = berlin(2026, 10, 25, 2, 40), berlin(2026, 10, 25, 2, 20, fold=1)
    assert first.astimezone(UTC) < second.astimezone(UTC)
    assert shift(line, first) == ("b", date(2026, 10, 25))
    assert shift(line, second) == ("b", date(2026, 10, 25)), "b began before the clocks went back"


def test_a_shift_within_the_hour_that_is_left_out_is_none() -> None:
    shifts = (
        ShiftTimes("cleaning", time(2, 10), time(2, 50)),
        ShiftTimes("early", time(2, 50), time(11)),
        ShiftTimes("late", time(11), time(2, 10)),
    )
    line = Calendars([Calendar(BERLIN, shifts)])
    names = [one.name for one in line.between(date(2026, 3, 28), date(2026, 3, 29))]
    assert names == ["cleaning", "early", "late", "early", "late"]
    forward = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert shift(line, forward - timedelta(minutes=1)) == ("late", date(2026, 3, 28))
    early = line.at(forward)
    assert (early.name, early.starts) == ("early", forward), "02:50 was never on the clock"


def test_weekends_and_holidays_have_no_shift() -> None:
    weekdays = tuple(ShiftTimes(s.name, s.starts, s.ends, MONDAY_TO_FRIDAY) for s in THREE)
    holidays = frozenset([date(2026, 12, 25)])  # a Friday
    line = Calendars([Calendar(BERLIN, weekdays, holidays=holidays)])
    assert shift(line, berlin(2026, 12, 25, 3)) == ("night", date(2026, 12, 24))
    gap = line.at(berlin(2026, 12, 25, 12))
    assert (gap.name, gap.day) == (NO_SHIFT, date(2026, 12, 25))
    assert gap.starts == berlin(2026, 12, 25, 5, 50).astimezone(UTC)
    assert gap.ends == berlin(2026, 12, 26).astimezone(UTC), "midnight ends it: a day is a day"
    assert shift(line, berlin(2026, 12, 27, 12)) == (NO_SHIFT, date(2026, 12, 27))


def test_a_new_calendar_takes_over_on_its_day() -> None:
    two = (ShiftTimes("day", time(4), time(16)), ShiftTimes("dark", time(16), time(4)))
    line = Calendars([Calendar(BERLIN, two, date(2026, 7, 1)), Calendar(BERLIN, THREE)])
    assert shift(line, berlin(2026, 6, 30, 23)) == ("night", date(2026, 6, 30))
    assert shift(line, berlin(2026, 7, 1, 3, 59)) == ("night", date(2026, 6, 30))
    assert shift(line, berlin(2026, 7, 1, 4)) == ("day", date(2026, 7, 1)), "no part is in two"
    night = line.at(berlin(2026, 7, 1, 1))
    assert night.ends == berlin(2026, 7, 1, 4).astimezone(UTC)


@pytest.mark.parametrize(("zone", "other"), [("Asia/Tokyo", "UTC"), ("UTC", "Asia/Tokyo")])
def test_a_calendar_in_another_time_zone_takes_over(zone: str, other: str) -> None:
    """Its day may begin while shifts of the one before have yet to, by their clock."""
    before = Calendar(ZoneInfo(zone), THREE)
    after = Calendar(ZoneInfo(other), THREE, date(2026, 7, 1))
    line = Calendars([before, after])
    begins = after.midnight(date(2026, 7, 1))
    around = list(line.intervals(begins - timedelta(days=3), begins + timedelta(days=3)))
    for one, following in pairwise(around):
        assert one.starts < one.ends == following.starts
    assert [one.day for one in around] == sorted(one.day for one in around)
    mine = list(line.between(date(2026, 6, 29), date(2026, 7, 2)))
    assert [one for one in mine if one.day >= date(2026, 7, 1)] == [
        *after.begun_on(date(2026, 7, 1)),
        *after.begun_on(date(2026, 7, 2)),
    ]
    assert all(one.starts < begins for one in mine if one.day < date(2026, 7, 1))


def test_a_calendar_takes_over_at_midnight_in_a_night_shift() -> None:
    """What runs on until the first shift of the new one, or ends by itself before that."""
    one = Calendar(BERLIN, (ShiftTimes("day", time(8), time(16)),), date(2026, 7, 1))
    line = Calendars([Calendar(BERLIN, THREE), one])
    night, gap, day = line.intervals(berlin(2026, 7, 1), berlin(2026, 7, 1, 9))
    assert (night.name, night.day) == ("night", date(2026, 6, 30))
    assert night.ends == berlin(2026, 7, 1, 5, 50)
    assert (gap.name, gap.day, gap.ends) == (NO_SHIFT, date(2026, 7, 1), day.starts)


def test_how_far_the_clocks_go_in_a_shift() -> None:
    line = Calendars([Calendar(BERLIN, THREE)])
    spring, autumn, none = (
        clock_change(line.at(berlin(*day, 23)), BERLIN)
        for day in ((2026, 3, 28), (2026, 10, 24), (2026, 10, 25))
    )
    assert (spring, autumn, none) == (timedelta(hours=1), timedelta(hours=-1), timedelta())
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # which moves its clocks by half an hour
    night = Calendars([Calendar(lord_howe, THREE)]).at(datetime(2026, 4, 4, 14, tzinfo=UTC))
    assert (night.name, night.ends - night.starts) == ("night", timedelta(hours=8, minutes=30))
    assert clock_change(night, lord_howe) == timedelta(minutes=-30)


def test_gaps_of_a_week() -> None:
    assert gaps(THREE) == []
    weekdays = tuple(ShiftTimes(s.name, s.starts, s.ends, MONDAY_TO_FRIDAY) for s in THREE)
    assert gaps(weekdays) == [("sat 05:50", "mon 05:50")]
    lunch = (ShiftTimes("a", time(6), time(12)), ShiftTimes("b", time(12, 30), time(6)))
    assert gaps(lunch)[0] == ("mon 12:00", "mon 12:30")
    assert len(gaps(lunch)) == 7
    sunday = ShiftTimes("s", time(20), time(6), frozenset([6]))
    assert gaps([sunday]) == [("mon 06:00", "sun 20:00")]


def test_the_first_calendar_holds_before_its_day_too() -> None:
    line = Calendars([Calendar(BERLIN, THREE, date(2026, 7, 1))])
    assert shift(line, berlin(2020, 1, 1, 12)) == ("early", date(2020, 1, 1))


@pytest.mark.parametrize(
    ("shifts", "message"),
    [
        ([("a", 6, 14), ("b", 13, 22)], "'a' that begins on mon overlaps 'b'"),
        ([("night", 22, 7), ("early", 6, 14)], "'night' that begins on mon overlaps 'early'"),
        ([("a", 6, 14), ("a", 14, 22)], "two shifts are called 'a'"),
        ([("no shift", 6, 14)], "cannot be called"),
    ],
)
def test_calendars_that_count_a_part_twice_are_refused(
    shifts: list[tuple[str, int, int]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Calendar(BERLIN, tuple(ShiftTimes(name, time(a), time(b)) for name, a, b in shifts))


def test_sundays_night_shift_meets_mondays_early_one() -> None:
    sunday, monday = frozenset([6]), frozenset([0])
    with pytest.raises(ValueError, match="'night' that begins on sun overlaps 'early'"):
        Calendar(
            BERLIN,
            (
                ShiftTimes("early", time(5), time(13), monday),
                ShiftTimes("night", time(22), time(6), sunday),
            ),
        )


def test_odd_calendars_are_refused() -> None:
    with pytest.raises(ValueError, match="whole minute"):
        Calendar(BERLIN, (ShiftTimes("a", time(6, 0, 30), time(14)),))
    with pytest.raises(ValueError, match="no day of the week"):
        Calendar(BERLIN, (ShiftTimes("a", time(6), time(14), frozenset()),))
    with pytest.raises(ValueError, match="two calendars are valid from 2026-01-01"):
        Calendars([Calendar(BERLIN, THREE, date(2026, 1, 1))] * 2)
    with pytest.raises(ValueError, match="needs a calendar"):
        Calendars([])


ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "UTC")]
CUTS = st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=5, unique=True)


UTC_CLOCK = st.just(UTC)
YEARS = datetime(2020, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 -- hypothesis adds UTC
CHANGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 5, 30, tzinfo=UTC),
]
NEAR_A_CHANGE = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-600, 600),
)


@given(
    CUTS,
    st.sampled_from(ZONES),
    NEAR_A_CHANGE | st.datetimes(*YEARS, timezones=UTC_CLOCK),
    st.sets(st.integers(0, 6)),
)
def test_every_instant_is_in_exactly_one_shift(
    cuts: list[int], zone: ZoneInfo, instant: datetime, free: set[int]
) -> None:
    at = [time(minute // 60, minute % 60) for minute in sorted(cuts)]
    days = frozenset(range(7)) - free or frozenset([0])
    pairs = zip(at, [*at[1:], at[0]], strict=True)
    shifts = tuple(ShiftTimes(str(n), a, b, days) for n, (a, b) in enumerate(pairs))
    line = Calendars([Calendar(zone, shifts)])
    found = line.at(instant)
    assert instant in found
    near = list(line.intervals(instant - timedelta(days=2), instant + timedelta(days=2)))
    assert [one for one in near if instant in one] == [found]
    for before, after in pairwise(near):
        assert before.starts < before.ends == after.starts, "no hole, and none twice"
    assert near[0].starts <= instant - timedelta(days=2)
    assert near[-1].ends >= instant + timedelta(days=2)
    day = instant.date()
    all_of_it = list(line.between(day - timedelta(days=3), day + timedelta(days=3)))
    for before, after in pairwise(all_of_it):
        assert before.ends <= after.starts
    holding = [one for one in all_of_it if instant in one]
    assert holding == ([] if found.name == NO_SHIFT else [found])
    assert line.at(found.starts) == found
    assert line.at(found.ends) != found


def test_a_quarter_hour_is_utcs() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")  # 5 h 45 min ahead
    when = datetime(2026, 1, 1, 12, 44, 59, 999, tzinfo=kathmandu)
    assert quarter_hour(when) == datetime(2026, 1, 1, 6, 45, tzinfo=UTC)
