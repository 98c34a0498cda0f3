"""What people mean by 'since' and 'until'."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from linewatch.errors import ReportError

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_YEARS = range(1900, 9000)  # with room for a period before and a quarter hour after
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_instant(text: str, now: datetime, timezone: tzinfo) -> datetime:
    """Read an ISO date or time, 'now', 'today', 'yesterday', or '24h' / '7d' / '30m' / '2w' ago.

    A date is its midnight, and a time without an offset is the plant's. Returned in UTC.

    Raises:
        ReportError: it is none of these, or centuries away.
    """
    word = text.strip().lower()
    midnight = now.astimezone(timezone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    try:
        if word == "now":
            instant = now
        elif word == "today":
            instant = midnight
        elif word == "yesterday":
            instant = midnight - timedelta(days=1)  # a wall-clock day: 23 to 25 hours
        elif ago := _AGO.fullmatch(word):
            instant = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            instant = datetime.fromisoformat(text.strip())
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=timezone)
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ReportError(
            f"{text!r} is no time; give '2026-01-31', '2026-01-31T06:00', '24h', '7d' or 'today'"
        ) from None
    if instant.year not in _YEARS:
        raise ReportError(f"{text!r} is not between {_YEARS[0]} and {_YEARS[-1]}")
    return instant
