from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from linewatch.errors import ReportError
from linewatch.periods import parse_instant

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)  # the day on which Berlin loses an hour


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", "2026-03-28T12:00+00:00"),
        ("7d", "2026-03-22T12:00+00:00"),
        ("30m", "2026-03-29T11:30+00:00"),
        ("today", "2026-03-28T23:00+00:00"),
        ("yesterday", "2026-03-27T23:00+00:00"),
        ("2026-03-30", "2026-03-29T22:00+00:00"),  # summer time by then
        ("2026-03-29T06:00", "2026-03-29T04:00+00:00"),
        ("2026-03-29T06:00Z", "2026-03-29T06:00+00:00"),
        ("2026-03-29T06:00+05:30", "2026-03-29T00:30+00:00"),
        (" Now ", "2026-03-29T12:00+00:00"),
    ],
)
def test_words_and_dates(text: str, expected: str) -> None:
    found = parse_instant(text, NOW, BERLIN)
    assert found == datetime.fromisoformat(expected)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterdy", "7y", "-3d", "2026-13-01", "999999w", "h"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ReportError, match="'24h'"):
        parse_instant(text, NOW, BERLIN)


@pytest.mark.parametrize("text", ["0002-01-01", "9999-12-31T23:59", "99999w"])
def test_a_time_that_cannot_be_reckoned_with_is_refused(text: str) -> None:
    # A trend's period before it, and a quarter hour more, must be times too.
    with pytest.raises(ReportError, match="not between 1900 and 8999"):
        parse_instant(text, NOW, BERLIN)
