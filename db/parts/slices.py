"""Shifts and slices of an instant, from the intervals that the calendars were made into."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, exists, select

from db.base import table_of
from db.tables import ShiftSpan
from quality.shifts.shift_calendar import NO_SHIFT, quarter_hour

_SPANS = table_of(ShiftSpan).c
# Made once: commits ask these, and to put a query together costs more than to run it.
_HAS_CALENDAR = select(exists().where(_SPANS.line == bindparam("whose")))
_SPAN = (
    select(_SPANS.starts_at, _SPANS.ends_at, _SPANS.shift, _SPANS.plant_day)
    .where(_SPANS.line == bindparam("whose"), _SPANS.starts_at <= bindparam("instant"))
    .order_by(_SPANS.starts_at.desc())
    .limit(1)
)


class Slice(NamedTuple):
    """A quarter hour of a shift. `slice_at` is the later of the beginnings of both."""

    slice_at: datetime
    shift_at: datetime
    shift_ends_at: datetime
    shift: str
    plant_day: date


class Slices:
    """Finds slices on one connection; asks once for what is next to each other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._whose: dict[str, str] = {}
        self._last: dict[str, Slice] = {}

    def of(self, line: str, when: datetime, quarter: datetime | None = None) -> Slice:
        """The slice that an instant lies in on a line.

        Where no calendar reaches so far the UTC day stands for a shift.

        Args:
            quarter: the beginning of the instant's UTC quarter hour, where it is known.
        """
        whose = self._calendar_of(line)
        last = self._last.get(whose)
        if last is None or not last.shift_at <= when < last.shift_ends_at:
            last = self._last[whose] = self._shift(whose, when)
        return last._replace(slice_at=max(quarter or quarter_hour(when), last.shift_at))

    def _calendar_of(self, line: str) -> str:
        if line not in self._whose:
            own = self._connection.scalar(_HAS_CALENDAR, {"whose": line})
            self._whose[line] = line if own else ""
        return self._whose[line]

    def _shift(self, whose: str, when: datetime) -> Slice:
        span = self._connection.execute(_SPAN, {"whose": whose, "instant": when}).first()
        if span is None or span.ends_at <= when:
            day = when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return Slice(day, day, day + timedelta(days=1), NO_SHIFT, day.date())
        return Slice(span.starts_at, *span)
