"""Shift calendars: which shift an instant belongs to, in a plant's own time. Pure.

A plant says its shifts in wall-clock minutes and weekdays, and the law moves that clock. So each
shift of each day becomes an *instance* with two instants in UTC, and whoever counts uses these: a
night shift is seven hours long when the clocks go forward in it, and nine when they go back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from quality.shifts.shift_times import NO_SHIFT, ShiftTimes, refuse_odd, refuse_overlaps

__all__ = [
    "NO_SHIFT",
    "Calendar",
    "Calendars",
    "ShiftInstance",
    "ShiftTimes",
    "clock_change",
    "quarter_hour",
]

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, order=True)
class ShiftInstance:
    """One shift of one day: from `starts` up to, not including, `ends`.

    Attributes:
        starts: an instant, in UTC.
        ends: an instant, in UTC.
        name: `NO_SHIFT` for the time between two shifts.
        day: the plant's day on which it began; a night shift counts to the evening's day.
    """

    starts: datetime
    ends: datetime
    name: str
    day: date

    def __contains__(self, when: datetime) -> bool:
        return self.starts <= when < self.ends


@dataclass(frozen=True, slots=True)
class Calendar:
    """The shifts of a line from a day on, until the next calendar's first day.

    Attributes:
        valid_from: shifts that begin on this day of the plant, or later, are this calendar's.
        holidays: days on which no shift begins.

    Raises:
        ValueError: two shifts overlap, or have one name; a shift has no day, or seconds.
    """

    timezone: ZoneInfo
    shifts: tuple[ShiftTimes, ...]
    valid_from: date = date.min
    holidays: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        refuse_odd(self.shifts)
        refuse_overlaps(self.shifts)

    def begun_on(self, day: date) -> list[ShiftInstance]:
        """The shifts that begin on a day, in order."""
        if day in self.holidays:
            return []
        return sorted(
            ShiftInstance(starts, ends, shift.name, day)
            for shift in self.shifts
            if day.weekday() in shift.days
            for starts, ends in [self._instants(shift, day)]
            if starts < ends  # the hour that the clocks leave out has no shift in it
        )

    def midnight(self, day: date) -> datetime:
        """The instant at which a day begins."""
        return self._instant(day, time())

    def _instants(self, shift: ShiftTimes, day: date) -> tuple[datetime, datetime]:
        last = day + _DAY if shift.ends <= shift.starts else day
        return self._instant(day, shift.starts), self._instant(last, shift.ends)

    def _instant(self, day: date, at: time) -> datetime:
        """Of the wall clock: the earlier one where it shows a time twice (PEP 495, fold = 0).

        A time that it leaves out is the instant at which it is put forward, so that a later time
        on the clock is never an earlier instant, and no two shifts overlap.
        """
        shown = datetime.combine(day, at, self.timezone)
        instant = shown.astimezone(UTC)
        if instant.astimezone(self.timezone).replace(tzinfo=None) == shown.replace(tzinfo=None):
            return instant
        instant = shown.replace(fold=1).astimezone(UTC)  # by the clock of afterwards: before it
        before = instant.astimezone(self.timezone).utcoffset()
        while instant.astimezone(self.timezone).utcoffset() == before:
            instant += _MINUTE
        return instant


class Calendars:
    """The calendars of one line, each valid from its day on.

    Args:
        calendars: at least one; in any order. The first also holds for all time before it.

    Raises:
        ValueError: there is none, or two begin on one day.
    """

    def __init__(self, calendars: Sequence[Calendar]) -> None:
        if not calendars:
            raise ValueError("a line needs a calendar; the plant's is used where it has none")
        self._all = sorted(calendars, key=lambda one: one.valid_from)
        for before, after in pairwise(self._all):
            if before.valid_from == after.valid_from:
                raise ValueError(f"two calendars are valid from {after.valid_from}")
        self._from = [one.valid_from for one in self._all]

    def at(self, when: datetime) -> ShiftInstance:
        """The shift that an instant belongs to, or the time between two, see `intervals`.

        Args:
            when: with a time zone.
        """
        return next(self.intervals(when, when))

    def intervals(self, since: datetime, until: datetime) -> Iterator[ShiftInstance]:
        """Shifts and the time between them, in order and without holes.

        The time between two is called `NO_SHIFT`, and midnight ends it, so that its day is one.

        Args:
            since: with a time zone; the first interval holds it.
            until: the last one holds it, or ends with it.
        """
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        # A shift may have begun the day before, and it ends within 24 hours of the clock.
        first, last = self.day_of(since) - 2 * _DAY, self.day_of(until) + _DAY
        at = self.midnight(first)
        for shift in self.between(first, last):
            yield from _touching([*self._idle(at, shift.starts), shift], since, until)
            at = shift.ends
        yield from _touching(self._idle(at, self.midnight(last + _DAY)), since, until)

    def between(self, first: date, last: date) -> Iterator[ShiftInstance]:
        """Every shift that begins on a day from `first` to `last`, both included, in order.

        Where a calendar takes over, a shift of the one before ends when the new one's begins.
        """
        held: ShiftInstance | None = None
        day = first
        while day <= last:
            for instance in self._begun_on(day):
                if held is not None:
                    yield _cut(held, instance.starts)
                held = instance
            day += _DAY
        if held is not None:
            following = self._begun_on(last + _DAY)
            yield _cut(held, following[0].starts) if following else held

    def day_of(self, when: datetime) -> date:
        """The plant's day in which an instant lies."""
        day = when.astimezone(UTC).date() + _DAY  # no clock is further ahead of UTC
        while self.midnight(day) > when:
            day -= _DAY
        return day

    def midnight(self, day: date) -> datetime:
        """The instant at which a day of the plant begins."""
        return self.on(day).midnight(day)

    def on(self, day: date) -> Calendar:
        """The calendar whose shifts begin on a day."""
        return self._all[self._index(day)]

    def _begun_on(self, day: date) -> list[ShiftInstance]:
        found = self._all[self._index(day)].begun_on(day)
        following = self._index(day) + 1
        if following == len(self._all):
            return found
        # Of a calendar in another time zone, which may begin before the last day of this one ends.
        after = self._all[following]
        taken_over = after.midnight(after.valid_from)
        return [one for one in found if one.starts < taken_over]

    def _idle(self, starts: datetime, ends: datetime) -> list[ShiftInstance]:
        """The time between two shifts, cut at each midnight."""
        found = []
        while starts < ends:
            day = self.day_of(starts)
            cut = min(ends, self.midnight(day + _DAY))
            found.append(ShiftInstance(starts, cut, NO_SHIFT, day))
            starts = cut
        return found

    def _index(self, day: date) -> int:
        return max(0, bisect_right(self._from, day) - 1)


def clock_change(instance: ShiftInstance, timezone: ZoneInfo) -> timedelta:
    """How far the clocks go forward in a shift; negative where they go back, mostly 0.

    So much shorter it is than its times on the clock say.
    """
    offsets = [at.astimezone(timezone).utcoffset() for at in (instance.starts, instance.ends)]
    before, after = (offset or timedelta() for offset in offsets)
    return after - before


def quarter_hour(when: datetime) -> datetime:
    """The UTC quarter hour in which an instant lies: its beginning."""
    when = when.astimezone(UTC)
    return when.replace(minute=when.minute - when.minute % 15, second=0, microsecond=0)


def _cut(instance: ShiftInstance, at: datetime) -> ShiftInstance:
    ends = min(instance.ends, at)
    return ShiftInstance(instance.starts, ends, instance.name, instance.day)


def _touching(
    instances: Sequence[ShiftInstance], since: datetime, until: datetime
) -> Iterator[ShiftInstance]:
    """Those that hold `since`, or begin between it and `until`."""
    for one in instances:
        if one.ends > since and (one.starts < until or since in one):
            yield one
