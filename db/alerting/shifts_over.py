"""Shifts that ended lately, and what was made and raised in each: what their summaries say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import Connection, func, select

from db.alerts import COLUMNS, AlertInfo
from db.base import table_of
from db.calendars.spans import within
from db.charts.baselines import all_in_force
from db.clock import database_now
from db.status.shift_rates import ShiftRate, shift_rates
from db.tables import Alert, Camera
from quality.shifts.shift_calendar import ShiftInstance

LATE = timedelta(minutes=15)  # after its end, a shift's last pictures are judged
LOOK_BACK = timedelta(hours=6)  # a notifier that was away tells of no older shift
MOST_ALERTS = 50
_ALERTS, _CAMERAS = table_of(Alert), table_of(Camera)


@dataclass(frozen=True, slots=True)
class ShiftOver:
    """A shift of some lines.

    Attributes:
        lines: which had it, by code.
        rates: each line's parts by product.
        alerts: those raised in it, oldest first; the first `MOST_ALERTS`.
        raised: how many were.
    """

    shift: ShiftInstance
    lines: tuple[str, ...]
    rates: dict[str, tuple[ShiftRate, ...]]
    alerts: tuple[AlertInfo, ...]
    raised: int

    @property
    def parts(self) -> int:
        """What all lines made."""
        return sum(rate.tally.parts for rates in self.rates.values() for rate in rates)


def shifts_over(connection: Connection, timezone: tzinfo) -> list[ShiftOver]:
    """The shifts that ended within `LOOK_BACK`, all but the last `LATE`; oldest first."""
    now = database_now(connection)
    by_shift: defaultdict[ShiftInstance, list[str]] = defaultdict(list)
    for line in connection.scalars(select(_CAMERAS.c.line).distinct().order_by(_CAMERAS.c.line)):
        for shift in within(connection, line, now - LOOK_BACK, now):
            if shift.name and now - LOOK_BACK <= shift.ends <= now - LATE:
                by_shift[shift].append(line)
    return [_over(connection, shift, lines, timezone) for shift, lines in sorted(by_shift.items())]


def _over(
    connection: Connection, shift: ShiftInstance, lines: list[str], timezone: tzinfo
) -> ShiftOver:
    baselines = all_in_force(connection)
    every = shift_rates(connection, shift.starts, baselines, timezone, until=shift.ends)
    rates = {line: every.get(line, ()) for line in lines}
    alerts, raised = _raised(connection, shift.starts, shift.ends)
    return ShiftOver(shift, tuple(lines), rates, alerts, raised)


def _raised(
    connection: Connection, since: datetime, until: datetime
) -> tuple[tuple[AlertInfo, ...], int]:
    c = _ALERTS.c
    where = (c.raised_at >= since, c.raised_at < until)
    count = int(connection.scalar(select(func.count()).select_from(_ALERTS).where(*where)) or 0)
    query = select(*COLUMNS).where(*where).order_by(c.id).limit(MOST_ALERTS)
    found = tuple(AlertInfo(**row) for row in connection.execute(query).mappings())
    return found, count
