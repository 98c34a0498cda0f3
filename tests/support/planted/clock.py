"""The plant's clock, put back in a night of that week, and its shifts, by plain arithmetic."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

ZONE = "Test/Plant"
HOUR = timedelta(hours=1)
MONDAY = 0
# A week that ended yesterday: older clocks are not believed, so no real zone will do.
DAY_0 = (datetime.now(UTC) - timedelta(days=9)).replace(hour=0, minute=0, second=0, microsecond=0)
BACK_AT = DAY_0 + timedelta(days=4, hours=1)  # from 3:00 to 2:00, in line L1's night shift
_FORWARD_AT = BACK_AT - timedelta(days=200)

# Line L1 has a calendar of its own, L3 another with gaps; all others follow the plant's.
SHIFTS = {
    "": [("early", "06:00", "14:00"), ("late", "14:00", "22:00"), ("night", "22:00", "06:00")],
    "L1": [("early", "05:50", "13:50"), ("late", "13:50", "21:50"), ("night", "21:50", "05:50")],
    "L3": [("day", "07:00", "15:00")],
}
_WEEKDAYS_ONLY = "L3"


class ShiftOf(NamedTuple):
    """A shift, or the time between two."""

    starts: datetime
    ends: datetime
    name: str
    day: date


@contextmanager
def clock_of_the_plant(folder: Path) -> Iterator[zoneinfo.ZoneInfo]:
    """The plant's time zone, known by its name to this process."""
    path = folder / ZONE
    path.parent.mkdir(parents=True)
    times = [int(at.timestamp()) for at in (_FORWARD_AT, BACK_AT)]
    path.write_bytes(
        b"TZif\0"
        + bytes(15)
        + struct.pack(">6l", 0, 0, 0, 2, 2, 4)
        + struct.pack(">2l2B", *times, 1, 0)
        + struct.pack(">lBBlBB", 3600, 0, 0, 7200, 1, 2)
        + b"W\0S\0"
    )
    usual = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(folder), *usual])
    try:
        yield zoneinfo.ZoneInfo(ZONE)
    finally:
        zoneinfo.ZoneInfo.clear_cache(only_keys=[ZONE])
        zoneinfo.reset_tzpath(to=usual)


def wall(at: datetime) -> datetime:
    """What the plant's clock shows."""
    return at.replace(tzinfo=None) + (2 * HOUR if at < BACK_AT else HOUR)


def instant(shown: datetime) -> datetime:
    """When the plant's clock shows it; the first time, where it does twice."""
    early = shown.replace(tzinfo=UTC) - 2 * HOUR
    return early if early < BACK_AT else early + HOUR


def shift_of(line: str, at: datetime) -> ShiftOf:
    """The shift that an instant lies in."""
    (found,) = (one for one in _around(line, wall(at).date()) if one.starts <= at < one.ends)
    return found


def quarter_of(at: datetime) -> datetime:
    """The quarter hour that an instant lies in."""
    return datetime.fromtimestamp(at.timestamp() // 900 * 900, UTC)


def _around(line: str, today: date) -> Iterator[ShiftOf]:
    whose = line if line in SHIFTS else ""
    taken = sorted(
        one
        for days in range(-2, 3)
        for day in [today + timedelta(days=days)]
        for one in _begun_on(whose, day)
    )
    yield from taken
    for days in range(-1, 2):
        midnight = _at(today + timedelta(days=days), "00:00")
        following = _at(today + timedelta(days=days + 1), "00:00")
        edges = {midnight, following}
        edges |= {e for one in taken for e in one[:2] if midnight < e < following}
        for starts, ends in zip(sorted(edges), sorted(edges)[1:], strict=False):
            if not any(one.starts <= starts < one.ends for one in taken):
                yield ShiftOf(starts, ends, "no shift", today + timedelta(days=days))


def _begun_on(whose: str, day: date) -> Iterator[ShiftOf]:
    if whose == _WEEKDAYS_ONLY and day.weekday() > MONDAY + 4:
        return
    for name, starts, ends in SHIFTS[whose]:
        last = day + timedelta(days=ends < starts)
        yield ShiftOf(_at(day, starts), _at(last, ends), name, day)


def _at(day: date, shown: str) -> datetime:
    return instant(datetime.combine(day, time.fromisoformat(shown)))
