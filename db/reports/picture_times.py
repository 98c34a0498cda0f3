"""Hours, days and shifts of pictures: how SQL groups by them, and how a row shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, literal

from db.reports.groups import Grouping
from db.reports.part_reports.times import offset_changes
from db.reports.shifts import shift_at

_DAY_S, _HOUR_S, _HOURS = 86_400, 3600, 24
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class PictureTimes:
    """The times of a grouping, within a range.

    Shifts are of whole hours of the plant's day, the same every day: so what shift an hour is in
    follows from the hour alone, as does whether the shift began the day before.
    """

    grouping: Grouping
    since: datetime | None = None
    until: datetime | None = None

    def expression(self, name: str, hour: ColumnElement[datetime]) -> ColumnElement[Any]:
        """What SQL groups by: the hour, the number of the shift, or the plant's day since 1970."""
        if name == "hour":
            return hour
        local = self._local(hour)
        of_day = (local // _HOUR_S) % _HOURS
        if name == "shift":
            return _stepwise(of_day, [self._names.index(name) for name, _ in self._by_hour])
        if "shift" not in self.grouping.by:
            return local // _DAY_S
        return local // _DAY_S - _stepwise(of_day, [int(before) for _, before in self._by_hour])

    def shown(self, name: str) -> Callable[[Any], str]:
        """What a row shows for the value that SQL gave."""
        shows: dict[str, Callable[[Any], str]] = {
            "hour": lambda hour: _text(hour, self.grouping.timezone),
            "shift": lambda number: self._names[number],
            "day": lambda days: (_EPOCH + timedelta(days=days)).isoformat(),
        }
        return cache(shows[name]) if name in shows else str

    @property
    def _by_hour(self) -> list[tuple[str, bool]]:
        return [shift_at(hour, self.grouping.shifts) for hour in range(_HOURS)]

    @property
    def _names(self) -> list[str]:
        return sorted({name for name, _ in self._by_hour})

    def _local(self, hour: ColumnElement[datetime]) -> ColumnElement[int]:
        """Seconds since 1970 by the plant's clock."""
        timezone = self.grouping.timezone

        def offset(at: datetime) -> int:
            return int((at.astimezone(timezone).utcoffset() or timedelta()).total_seconds())

        last = self.until or datetime.now(UTC)
        (_, first), *later = offset_changes(offset, self.since, last)
        whens = [(hour >= at, seconds) for at, seconds in reversed(later)]
        added = case(*whens, else_=first) if whens else literal(first)
        return cast(extract("epoch", hour), BigInteger) + added


def _stepwise(of_day: ColumnElement[int], values: Sequence[int]) -> ColumnElement[int]:
    """A value for each hour of the day, in as few comparisons as it changes."""
    steps = list(_steps(values))
    if not steps:
        return literal(values[-1])
    return case(*((of_day < hour, value) for hour, value in steps), else_=values[-1])


def _steps(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Up to which hour each value holds, but for the last."""
    for hour in range(1, len(values)):
        if values[hour] != values[hour - 1]:
            yield hour, values[hour - 1]


def _text(hour: datetime, timezone: tzinfo) -> str:
    return hour.astimezone(timezone).isoformat(timespec="minutes")
