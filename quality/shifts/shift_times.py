"""When a shift begins and ends by the plant's clock, and what a week of shifts may not do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from itertools import pairwise

NO_SHIFT = "no shift"
EVERY_DAY = frozenset(range(7))
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


@dataclass(frozen=True, slots=True)
class ShiftTimes:
    """When a shift begins and ends by the plant's clock; it passes midnight if it ends first.

    Attributes:
        days: of the week on which it begins, Monday is 0.
    """

    name: str
    starts: time
    ends: time
    days: frozenset[int] = EVERY_DAY

    @property
    def minutes(self) -> int:
        """How long it is when no clock is changed; a shift that ends when it starts has 24 h."""
        return (_minute(self.ends) - _minute(self.starts) - 1) % _DAY_MINUTES + 1


def refuse_odd(shifts: Sequence[ShiftTimes]) -> None:
    """Check each shift by itself.

    Raises:
        ValueError: two shifts have one name; one has none, or no day, or seconds.
    """
    names = [shift.name for shift in shifts]
    for shift in shifts:
        if names.count(shift.name) > 1:
            raise ValueError(f"two shifts are called {shift.name!r}")
        if not shift.name or shift.name == NO_SHIFT:
            raise ValueError(f"a shift cannot be called {shift.name!r}")
        if not shift.days or not shift.days <= EVERY_DAY:
            raise ValueError(f"shift {shift.name!r} begins on no day of the week")
        for at in (shift.starts, shift.ends):
            if at.second or at.microsecond or at.tzinfo:
                raise ValueError(f"shift {shift.name!r}: {at} is not a whole minute")


def refuse_overlaps(shifts: Sequence[ShiftTimes]) -> None:
    """Check a week of them, in which Sunday's night shift meets Monday's early one.

    Raises:
        ValueError: one begins before another has ended; names both, and the first one's day.
    """
    for (starts, minutes, name), (next_starts, _, next_name) in _in_a_row(shifts):
        if starts + minutes > next_starts:
            day = WEEKDAYS[starts // _DAY_MINUTES]
            raise ValueError(
                f"shift {name!r} that begins on {day} overlaps {next_name!r}: shifts of a line "
                "follow each other"
            )


def gaps(shifts: Sequence[ShiftTimes]) -> list[tuple[str, str]]:
    """The times of a week in which no shift is: `('sat 21:50', 'mon 05:50')`, in order."""
    return [
        (_of_week(starts + minutes), _of_week(next_starts))
        for (starts, minutes, _), (next_starts, _, _) in _in_a_row(shifts)
        if starts + minutes < next_starts
    ]


def _in_a_row(
    shifts: Sequence[ShiftTimes],
) -> list[tuple[tuple[int, int, str], tuple[int, int, str]]]:
    """Each shift of a week and the next: beginning (minute of the week), minutes, name."""
    spans = sorted(
        (day * _DAY_MINUTES + _minute(shift.starts), shift.minutes, shift.name)
        for shift in shifts
        for day in shift.days
    )
    again = [(starts + _WEEK_MINUTES, minutes, name) for starts, minutes, name in spans[:1]]
    return list(pairwise([*spans, *again]))


def _of_week(minute: int) -> str:
    day, minute = divmod(minute % _WEEK_MINUTES, _DAY_MINUTES)
    return f"{WEEKDAYS[day]} {minute // 60:02}:{minute % 60:02}"


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
