"""When the plant's hours begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.reports.part_reports.times import hour_offsets

FIRST, LAST = datetime(2025, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_whole_hours_begin_with_those_of_utc_whatever_the_season(zone: str) -> None:
    assert hour_offsets(ZoneInfo(zone), FIRST, LAST) == [(FIRST, 0)]


def test_an_hour_may_begin_at_half_past() -> None:
    assert hour_offsets(ZoneInfo("Asia/Kolkata"), FIRST, LAST) == [(FIRST, 1800)]
    assert hour_offsets(ZoneInfo("Asia/Kathmandu"), FIRST, LAST) == [(FIRST, 2700)]


def test_a_clock_that_changes_by_half_an_hour() -> None:
    """Lord Howe: +11:00 in summer, +10:30 in winter."""
    assert hour_offsets(ZoneInfo("Australia/Lord_Howe"), FIRST, LAST) == [
        (FIRST, 0),
        (datetime(2026, 4, 4, 15, 0, tzinfo=UTC), 1800),
        (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), 0),
    ]


def test_every_hour_of_a_year_begins_on_the_clock() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    offsets = hour_offsets(zone, FIRST, LAST)
    at = FIRST
    while at < LAST:
        offset = [seconds for since, seconds in offsets if since <= at][-1]
        begins = (int(at.timestamp()) + offset) // 3600 * 3600 - offset
        local = at.astimezone(zone)
        assert begins == at.timestamp() - local.minute * 60, at
        at += timedelta(minutes=15)
