"""The range of time that a report really covers: whole slices, which are what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.reports.report import refuse_odd_range, shown_range
from db.tables import ShiftSpan
from quality.shifts.shift_calendar import quarter_hour

_SPANS = table_of(ShiftSpan)
_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to, not including, `until`, in UTC; None: from the beginning, to the end.

    Both are where slices of every line begin, so no slice is half in.
    """

    since: datetime | None = None
    until: datetime | None = None
    widened: bool = False

    def notes(self, timezone: tzinfo) -> tuple[str, ...]:
        """Which range was counted, if it is another than was asked for."""
        if not self.widened:
            return ()
        used = shown_range(*self.local(timezone))
        return (f"counted: {used}; times are widened to quarter hours and beginnings of shifts",)

    def local(self, timezone: tzinfo) -> tuple[datetime | None, datetime | None]:
        """`since` and `until` by the plant's clock."""
        return (
            self.since.astimezone(timezone) if self.since else None,
            self.until.astimezone(timezone) if self.until else None,
        )


def used_period(
    connection: Connection,
    since: datetime | None,
    until: datetime | None,
    *,
    now: datetime,
    line: str | None = None,
) -> Period:
    """The range that is counted for one that was asked for.

    It is widened to quarter hours of UTC. A beginning of a shift is kept as it is where every
    line concerned has a shift that begins then, since their counts are cut there.

    Args:
        line: the only one that is concerned; None: all.

    Raises:
        ReportError: it ends before it begins, or begins in the future.
    """
    refuse_odd_range(since, until, now)
    first = None if since is None else since.astimezone(UTC)
    last = None if until is None else until.astimezone(UTC)
    used_since = None if first is None else _slice_of(connection, first, line)[0]
    used_until = last
    if last is not None and last != quarter_hour(last):
        begins, ends = _slice_of(connection, last, line)
        used_until = last if begins == last else ends
    return Period(used_since, used_until, (used_since, used_until) != (first, last))


def _slice_of(
    connection: Connection, when: datetime, line: str | None
) -> tuple[datetime, datetime]:
    """The slice that an instant lies in: between two quarter hours or common shift beginnings."""
    begins = quarter_hour(when)
    ends = begins + _QUARTER
    if begins == when:
        return begins, ends
    cuts = _cuts(connection, begins, ends, line)
    return (
        max([begins, *(cut for cut in cuts if cut <= when)]),
        min([ends, *(cut for cut in cuts if cut > when)]),
    )


def _cuts(
    connection: Connection, begins: datetime, ends: datetime, line: str | None
) -> list[datetime]:
    """Where every line concerned begins a shift between two quarter hours."""
    c = _SPANS.c
    lines = _calendars(connection, line)
    query = (
        select(c.starts_at)
        .where(c.line.in_(lines), c.starts_at > begins, c.starts_at < ends)
        .group_by(c.starts_at)
        .having(func.count() == len(lines))
    )
    return list(connection.scalars(query))


def _calendars(connection: Connection, line: str | None) -> list[str]:
    """Whose spans cut the counts: the line's own, else the plant's; every one for all lines."""
    query = select(_SPANS.c.line).distinct()
    if line is None:
        return list(connection.scalars(query))
    own = connection.scalar(query.where(_SPANS.c.line == line).limit(1))
    return ["" if own is None else line]
