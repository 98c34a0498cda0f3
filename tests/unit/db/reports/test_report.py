"""A report's rows as programs get them, and ranges that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from db.reports.report import Report, refuse_odd_range, shown_range
from linewatch.errors import ReportError

NIGHT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))


def test_dates_and_instants_are_iso_and_the_rest_is_as_it_is() -> None:
    row = {"day": date(2026, 3, 1), "hour": NIGHT, "n": 1, "rate": 0.5, "no": None, "yes": True}
    report = Report("x", "X", (row,))
    assert report.columns == ("day", "hour", "n", "rate", "no", "yes")
    assert report.plain_rows() == [{**row, "day": "2026-03-01", "hour": "2026-10-25T02:30+02:00"}]
    exact = Report("x", "X", ({"at": NIGHT.replace(second=7)},))
    assert exact.plain_rows() == [{"at": "2026-10-25T02:30:07+02:00"}]
    assert Report("x", "X").columns == ()


def test_a_range_in_words() -> None:
    assert shown_range(None, NIGHT) == "the beginning to 2026-10-25T02:30+02:00"
    assert shown_range(NIGHT, None) == "2026-10-25T02:30+02:00 to now"


def test_ranges_that_hold_nothing_are_refused() -> None:
    refuse_odd_range(None, None, NIGHT)
    refuse_odd_range(None, datetime.max.replace(tzinfo=UTC), NIGHT)
    with pytest.raises(ReportError, match="ends before it begins"):
        refuse_odd_range(NIGHT, NIGHT, NIGHT)
    with pytest.raises(ReportError, match="is in the future"):
        refuse_odd_range(NIGHT, None, NIGHT.replace(year=2020))
