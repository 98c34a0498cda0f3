"""All lines at one moment: what the page of lines and the alerts' rules look at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import Connection, Engine, func, select

from db.base import table_of
from db.calendars.spans import running
from db.charts.baselines import FrozenBaseline, all_in_force
from db.clock import database_now
from db.inspections import set_up
from db.session import reading
from db.status.cameras import LastPicture, Station, by_verdict, last_pictures, stations
from db.status.shift_rates import ShiftRate, shift_rates
from db.status.silence import CameraState, camera_state
from db.status.verified import LastChallenge, Verification, last_challenges, verification
from db.tables import Alert
from linewatch.calendar_spec import PLANT
from quality.shifts.shift_calendar import ShiftInstance

_ALERTS = table_of(Alert)


@dataclass(frozen=True, slots=True)
class CameraNow:
    """A camera; `verdicts`: how its pictures of this hour and the one before ended."""

    line: str
    camera: str
    state: CameraState
    pictures: tuple[LastPicture, ...]
    verdicts: dict[str, int]

    @property
    def last_at(self) -> datetime | None:
        """When its last picture was decided."""
        return self.pictures[0].decided_at if self.pictures else None


@dataclass(frozen=True, slots=True)
class LineNow:
    """A line; `shift` None: its calendar says nothing of now; its name is '' between two."""

    line: str
    shift: ShiftInstance | None
    rates: tuple[ShiftRate, ...]
    verification: Verification
    verified_at: datetime | None
    alerts: int
    cameras: tuple[CameraNow, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The lines by code, at `at` by the database's clock."""

    at: datetime
    lines: tuple[LineNow, ...]


def snapshot(engine: Engine, timezone: tzinfo, silent_after: timedelta) -> Snapshot:
    """Look at every line that has a camera, but for the one by which products are set up."""
    with reading(engine) as connection:
        now = database_now(connection)
        wanted = [station for station in stations(connection) if station[0] != set_up.LINE]
        reader = _Reader(connection, now, timezone, silent_after, wanted)
        return Snapshot(
            now, tuple(reader.line(code) for code in dict.fromkeys(s[0] for s in wanted))
        )


class _Reader:
    def __init__(
        self,
        connection: Connection,
        now: datetime,
        timezone: tzinfo,
        silent_after: timedelta,
        wanted: list[Station],
    ) -> None:
        self._connection, self._now, self._timezone = connection, now, timezone
        self._silent_after, self._stations = silent_after, wanted
        self._pictures = last_pictures(connection, wanted)
        self._verdicts = by_verdict(connection, now)
        self._baselines: list[FrozenBaseline] = all_in_force(connection)
        self._challenges = last_challenges(connection)
        self._alerts = _open_alerts(connection)
        self._shifts = running(connection, now)
        self._rates: dict[datetime, dict[str, tuple[ShiftRate, ...]]] = {}

    def line(self, code: str) -> LineNow:
        shift = self._shifts.get(code, self._shifts.get(PLANT))
        last: LastChallenge | None = self._challenges.get(code)
        since = shift.starts if shift is not None and shift.name else None
        return LineNow(
            line=code,
            shift=shift,
            rates=self._rates_since(shift.starts).get(code, ()) if shift is not None else (),
            verification=verification(last, shift.starts if shift is not None else None),
            verified_at=last.started_at if last else None,
            alerts=self._alerts[code],
            cameras=tuple(self._camera(s, since) for s in self._stations if s[0] == code),
        )

    def _rates_since(self, begun: datetime) -> dict[str, tuple[ShiftRate, ...]]:
        """Counted once for all lines whose shifts began at one moment."""
        if begun not in self._rates:
            self._rates[begun] = shift_rates(
                self._connection, begun, self._baselines, self._timezone
            )
        return self._rates[begun]

    def _camera(self, station: Station, shift_since: datetime | None) -> CameraNow:
        pictures = self._pictures[station]
        state = camera_state(
            pictures[0].decided_at if pictures else None,
            self._now,
            shift_since=shift_since,
            silent_after=self._silent_after,
        )
        return CameraNow(*station, state, pictures, self._verdicts.get(station, {}))


def _open_alerts(connection: Connection) -> Counter[str]:
    """How many alerts stand, by line."""
    c = _ALERTS.c
    query = select(c.line, func.count()).where(c.resolved_at.is_(None), c.line.is_not(None))
    return Counter({row[0]: int(row[1]) for row in connection.execute(query.group_by(c.line))})
