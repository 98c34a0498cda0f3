"""Ends challenges whose time is over, so that a line which somebody forgot is told of too."""

from __future__ import annotations

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.challenges.challenges import due, end_due
from db.session import transaction
from workers.health.periodic_thread import PeriodicThread

log = logging.getLogger(__name__)

PERIOD_S = 5.0


class ChallengeWatch:
    """Looks every few seconds; any worker may, and two at once are harmless.

    Args:
        engine: the database.
        period_s: seconds between two looks.
    """

    def __init__(self, engine: Engine, period_s: float = PERIOD_S) -> None:
        self._engine = engine
        self._thread = PeriodicThread(
            "challenges",
            self.check,
            period_s,
            failed="challenges not looked at",
            expected=(SQLAlchemyError,),
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._thread.stop()

    def check(self) -> None:
        """End those whose time is over, with an alert where a part was not told right."""
        if not due(self._engine):
            return
        with transaction(self._engine) as connection:
            ended = end_due(connection)
        for one in ended:
            if one.verified:
                log.info("%s: the challenge's time is over: verified", one.line)
            else:
                log.warning("%s", one.message)
