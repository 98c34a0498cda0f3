"""A receiver that takes nothing: noted in its row, said in the log once, and an alert."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts
from db.clock import database_now
from db.outbox import cursors
from db.session import transaction
from linewatch.errors import LinewatchError
from outputs.options import ReceiverOptions

log = logging.getLogger(__name__)

KIND = "receiver_away"
AWAY = (
    "the receiver {receiver} ({kind}) takes no results, so a gate may wait in vain; `linewatch "
    "outputs list` says why"
)
ALERT_AFTER_S = 5.0  # shorter absences are a restart
NOTED_EVERY_S = 5.0


class Absence:
    """Of one receiver. A database that is away is not told; the next failure tells it."""

    def __init__(self, engine: Engine, line: str, options: ReceiverOptions) -> None:
        self._engine, self._line, self._options = engine, line, options
        self._since: float | None = None
        self._since_noted = False
        self._noted_at = 0.0
        self._alerted = False
        self._problem = ""
        self._clear = False  # what an earlier dispatcher noted is over as well

    def failed(self, error: LinewatchError) -> None:
        """It took nothing, again or for the first time."""
        now = time.monotonic()
        self._since = self._since if self._since is not None else now
        self._clear = False
        problem = " ".join(str(error).split())
        if problem != self._problem:
            log.warning("%s/%s: %s", self._line, self._options.name, problem)
        alert = not self._alerted and now - self._since >= ALERT_AFTER_S
        if alert or problem != self._problem or now - self._noted_at >= NOTED_EVERY_S:
            self._note(problem, away_s=now - self._since, alert=alert)
            self._noted_at = now
        self._problem = problem

    def over(self) -> None:
        """It takes results."""
        if self._clear:
            return
        if self._since is not None:
            log.warning("%s/%s: is there again", self._line, self._options.name)
        try:
            with transaction(self._engine) as connection:
                self._describe(connection, away_since=None, problem=None)
                source = self._options.name
                alerts.resolve(connection, kind=KIND, line=self._line, source=source)
        except SQLAlchemyError:
            return
        self._since, self._since_noted, self._alerted = None, False, False
        self._problem, self._clear = "", True

    def _note(self, problem: str, *, away_s: float, alert: bool) -> None:
        try:
            with transaction(self._engine) as connection:
                values: dict[str, Any] = {"problem": problem}
                if not self._since_noted:
                    since = database_now(connection) - timedelta(seconds=away_s)
                    values["away_since"] = since
                self._describe(connection, **values)
                if alert:
                    self._alert(connection)
            self._since_noted, self._alerted = True, self._alerted or alert  # now it is committed
        except SQLAlchemyError as error:
            log.warning("%s/%s: not noted: %s", self._line, self._options.name, error)

    def _describe(self, connection: Any, **values: Any) -> None:
        cursors.describe(connection, self._line, self._options.name, **values)

    def _alert(self, connection: Any) -> None:
        name = f"{self._line}/{self._options.name}"
        alerts.raise_alert(
            connection,
            kind=KIND,
            severity="critical",
            line=self._line,
            source=self._options.name,
            message=AWAY.format(receiver=name, kind=self._options.kind),
        )
