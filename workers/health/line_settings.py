"""What is set for each line, looked up again every few seconds, and the takt alarms that follow.

Verdicts are noted after their commit, which costs a comparison each; everything that asks the
database runs in a thread of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts
from db.inspections.records import InspectionRecord
from db.inspections.stations import NEWEST_FIRST, configured_lines
from db.reports import takt
from db.session import transaction
from workers.health.periodic_thread import PeriodicThread
from workers.health.takt import Overrun, Recovery, TaktWatch

log = logging.getLogger(__name__)

PERIOD_S = 2.0
ALERT = "takt"
LATE = (
    "{line}: verdicts come later than its takt budget of {budget} s after capture; see queue depth "
    "and age in `linewatch top`"
)


class LineSettings:
    """Budgets and policies of the lines.

    Args:
        engine: the database.
        period_s: how often they are looked up and the takt is checked, in seconds.
    """

    def __init__(self, engine: Engine, period_s: float = PERIOD_S) -> None:
        self._engine = engine
        self._period_s = period_s
        self._budgets: dict[str, float] = {}
        self._newest_first: frozenset[str] = frozenset()
        self._watch = TaktWatch()
        self._noting = Lock()
        self._thread = PeriodicThread(
            "lines",
            self._look,
            period_s,
            failed="lines not looked up",
            expected=(SQLAlchemyError,),
        )

    def start(self) -> None:
        """Look the lines up, and go on doing so."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._thread.stop()

    def newest_first(self, line: str) -> bool:
        """Whether the newest picture of this line goes first."""
        return line in self._newest_first

    def note(self, records: Iterable[InspectionRecord]) -> None:
        """These verdicts were committed a moment ago."""
        if not self._budgets:
            return
        with self._noting:
            for record in records:
                if record.line in self._budgets and record.captured_at is not None:
                    latency = record.decided_at - record.captured_at
                    self._watch.note(record.line, latency.total_seconds())

    def refresh(self) -> None:
        """Look the lines up once, and which alarms stand, whoever raised them."""
        lines = configured_lines(self._engine)
        self._budgets = {x.code: x.takt_budget_s for x in lines if x.takt_budget_s is not None}
        self._newest_first = frozenset(x.code for x in lines if x.policy == NEWEST_FIRST)
        late = [a.line for a in alerts.open_alerts(self._engine) if a.kind == ALERT and a.line]
        with self._noting:
            self._watch.standing(late)

    def check(self) -> None:
        """Raise and resolve alarms; what the database does not take now comes up again."""
        with self._noting:
            changes = self._watch.check(self._budgets)
        for change in changes:
            if isinstance(change, Overrun):
                self._raise(change)
            elif not self._resolve(change):
                continue
            with self._noting:
                self._watch.settled(change)

    def _raise(self, overrun: Overrun) -> None:
        message = LATE.format(line=overrun.line, budget=f"{overrun.budget_s:g}")
        log.warning("%s (now %.1f s)", message, overrun.worst_s)
        with transaction(self._engine) as connection:
            alerts.raise_once(connection, line=overrun.line, kind=ALERT, message=message)

    def _resolve(self, recovery: Recovery) -> bool:
        """Resolve the alarm, unless another worker's verdicts of this line are still late."""
        budget_s = self._budgets.get(recovery.line)
        if budget_s is not None:
            worst_s = takt.worst_latency_s(self._engine, recovery.line, within_s=5 * self._period_s)
            if worst_s is not None and worst_s > budget_s:
                return False
        with transaction(self._engine) as connection:
            alerts.resolve(connection, kind=ALERT, line=recovery.line)
        log.info("%s: verdicts come within its takt budget again", recovery.line)
        return True

    def _look(self) -> None:
        self.refresh()
        self.check()
