"""Quarter hours, hours, weeks and months: how SQL groups by them, and how a row shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, DateTime, case, cast, extract, func

from db.reports.report import Cell

_HOUR_S = 3600
_QUARTER_S = 900
_STEP = timedelta(days=28)  # no zone changes its clock twice within it and back
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)  # nothing was counted before


@dataclass(frozen=True, slots=True)
class Clock:
    """The plant's, and the range within which it is asked.

    Attributes:
        dialect: of the database, by SQLAlchemy's name.
    """

    timezone: tzinfo
    dialect: str
    since: datetime | None = None
    until: datetime | None = None

    def expression(self, name: str, columns: Any) -> ColumnElement[Any]:
        """What SQL groups by, of a table of counts that has `slice_at` or `plant_day`."""
        if name == "quarter":
            return _floor(_epoch(columns.slice_at), _QUARTER_S)
        if name == "hour":
            return self._hour(columns.slice_at)
        if name == "day":
            day: ColumnElement[Any] = columns.plant_day
            return day
        if self.dialect == "postgresql":
            return cast(func.date_trunc(name, cast(columns.plant_day, DateTime)), Date)
        back = ("weekday 0", "-6 days") if name == "week" else ("start of month",)
        return func.date(columns.plant_day, *back, type_=Date)

    def shown(self, name: str) -> Callable[[Any], Cell]:
        """What a row shows for the value that SQL gave."""
        shows: dict[str, Callable[[Any], Cell]] = {
            "quarter": self._instant,
            "hour": self._instant,
            "week": _week,
            "month": lambda day: f"{day:%Y-%m}",
        }
        return shows.get(name, _as_it_is)

    def _hour(self, slice_at: ColumnElement[Any]) -> ColumnElement[Any]:
        """By the plant's clock, whose hours may begin at UTC's half past."""
        last = self.until or datetime.now(UTC)
        offsets = hour_offsets(self.timezone, self.since or _FIRST, last)
        epoch = _epoch(slice_at)
        (_, first), *changes = offsets
        hour = _floor(epoch + first, _HOUR_S) - first
        whens = [
            (slice_at >= at, _floor(epoch + offset, _HOUR_S) - offset)
            for at, offset in reversed(changes)
        ]
        return case(*whens, else_=hour) if whens else hour

    def _instant(self, epoch: int) -> datetime:
        return datetime.fromtimestamp(epoch, UTC).astimezone(self.timezone)


def hour_offsets(timezone: tzinfo, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """How many seconds before UTC's hours the plant's begin, and from when on.

    One entry for nearly every zone, since most change their clocks by whole hours.
    """

    def offset(at: datetime) -> int:
        shift = at.astimezone(timezone).utcoffset() or timedelta()
        return int(shift.total_seconds()) % _HOUR_S

    return offset_changes(offset, since, until)


def offset_changes(
    offset: Callable[[datetime], int], since: datetime | None, until: datetime
) -> list[tuple[datetime, int]]:
    """From when on `offset` has which value; the first entry is of `since`.

    Args:
        offset: of a clock, in whole seconds.
        since: None: before anything was counted.
    """
    since = since or _FIRST
    found = [(since, offset(since))]
    at = since
    while at < until:
        following = min(at + _STEP, until)
        if offset(following) != found[-1][1]:
            found.append((_change(offset, at, following), offset(following)))
        at = following
    return found


def _change(offset: Callable[[datetime], int], before: datetime, after: datetime) -> datetime:
    """The first whole second at which the offset is the later one's, by halving."""
    low, high = int(before.timestamp()), int(after.timestamp())
    wanted = offset(after)
    while high - low > 1:
        middle = (low + high) // 2
        if offset(datetime.fromtimestamp(middle, UTC)) == wanted:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def _epoch(instant: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(extract("epoch", instant), BigInteger)


def _floor(seconds: ColumnElement[int], unit: int) -> ColumnElement[int]:
    return (seconds // unit) * unit


def _as_it_is(value: Cell) -> Cell:
    return value


def _week(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"
