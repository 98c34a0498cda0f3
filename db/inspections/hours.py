"""Plant hours: the grain of every report.

A roll-up row's `hour` is the instant at which the *plant's* hour began, not UTC's. So days and
shifts are whole sums of hours at UTC+5:30 too, and when clocks change.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def plant_hour(instant: datetime, timezone: tzinfo) -> datetime:
    """The UTC instant at which the plant-local hour of `instant` began.

    When clocks go back, the hour that happens twice is two hours (`fold` tells them apart). Where
    they move by half an hour, one local hour lasts 30 or 90 minutes and is one hour here.

    Raises:
        ValueError: `instant` is naive.
    """
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone; use an aware datetime")
    local = instant.astimezone(timezone)
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
