from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.inspections.hours import plant_hour

ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]
SECONDS = st.integers(631_152_000, 3_786_912_000)  # 1990 to 2090


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "instant", "hour"),
    [
        ("UTC", "2026-03-02T12:59:59.999999+00:00", "2026-03-02T12:00+00:00"),
        ("Asia/Kolkata", "2026-03-02T12:29:59+00:00", "2026-03-02T11:30+00:00"),
        ("Asia/Kolkata", "2026-03-02T12:30:00+00:00", "2026-03-02T12:30+00:00"),
        # Berlin, clocks go forward: 01:59 is followed by 03:00
        ("Europe/Berlin", "2026-03-29T00:59:00+00:00", "2026-03-29T00:00+00:00"),
        ("Europe/Berlin", "2026-03-29T01:00:00+00:00", "2026-03-29T01:00+00:00"),
        # Berlin, clocks go back: 02:30 comes twice and is two hours
        ("Europe/Berlin", "2026-10-25T00:30:00+00:00", "2026-10-25T00:00+00:00"),
        ("Europe/Berlin", "2026-10-25T01:30:00+00:00", "2026-10-25T01:00+00:00"),
        # Lord Howe moves by half an hour: 02:00 becomes 02:30, and back to 01:30
        ("Australia/Lord_Howe", "2026-10-03T15:40:00+00:00", "2026-10-03T15:30+00:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:15:00+00:00", "2026-04-04T14:00+00:00"),
    ],
)
def test_known_hours(zone: str, instant: str, hour: str) -> None:
    assert plant_hour(at(instant), ZoneInfo(zone)) == at(hour)


@given(
    SECONDS.map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(ZONES),
)
def test_an_hour_is_one_local_hour(instant: datetime, zone: str) -> None:
    timezone = ZoneInfo(zone)
    hour = plant_hour(instant, timezone)
    local, began = instant.astimezone(timezone), hour.astimezone(timezone)
    assert hour.tzinfo is UTC
    assert timedelta(0) <= instant - hour < timedelta(minutes=90)
    assert (began.date(), began.hour) == (local.date(), local.hour)
    assert plant_hour(hour, timezone) == hour


def test_every_hour_of_a_day_with_two_o_clock_twice_is_its_own() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    midnight = datetime(2026, 10, 25, tzinfo=berlin).astimezone(UTC)
    hours = {plant_hour(midnight + timedelta(minutes=m), berlin) for m in range(25 * 60)}
    assert len(hours) == 25
    assert {h.astimezone(berlin).date() for h in hours} == {date(2026, 10, 25)}


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        plant_hour(datetime(2026, 1, 1), UTC)  # noqa: DTZ001
