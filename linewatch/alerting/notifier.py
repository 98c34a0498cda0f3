"""The notifier: looks for conditions and tells people, one process at a time.

Any number may run; who holds the lease works, the others wait. What is about to be told is written
before it is sent, in the transaction that holds the lease. So two tell once, and one that dies
between sending and noting it may make it twice: a message too many is better than one too few.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.alerting import leases, notices
from db.alerting.shifts_over import ShiftOver, shifts_over
from db.session import reading, transaction
from linewatch.alerting import telling
from linewatch.alerting.looking import Looker
from linewatch.alerting.rules import AlertsFile
from linewatch.alerting.sending import Sender
from linewatch.alerting.telling import Telling
from linewatch.alerting.texts import Words, english
from linewatch.errors import AlertError
from linewatch.settings import Settings
from workers import fleet

log = logging.getLogger(__name__)

LEASE = "notifier"
LEASE_LASTS = timedelta(seconds=60)
ROUND_S, LOOK_EVERY_S = 5.0, 15.0
_LASTS = timedelta(seconds=120)  # a condition, after it was seen
_SENDING = timedelta(minutes=3)  # a round's sending takes less; then another notifier may try
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=10)


class Notifier:
    """One notifier.

    Args:
        name: tells notifiers apart; the machine and the process.
        ask: asks the workers whether they live.
        words: says our messages in a language.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        file: AlertsFile,
        sender: Sender,
        *,
        name: str | None = None,
        ask: Callable[[Settings], list[fleet.FleetWorker] | None] = fleet.ask,
        words: Words = english,
    ) -> None:
        self._engine, self._settings, self._file, self._sender = engine, settings, file, sender
        self._words = words
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._looker = Looker(engine, settings, file.rules, ask, _LASTS)
        self._looked_at: float | None = None

    def run(self, stop: Event) -> None:
        """Work until `stop`; the database may be away meanwhile."""
        try:
            while not stop.is_set():
                try:
                    self.round()
                except SQLAlchemyError as error:
                    log.warning("the database did not answer: %s", str(error).splitlines()[0])
                stop.wait(ROUND_S)
        finally:
            try:
                leases.give_up(self._engine, LEASE, self.name)
            except SQLAlchemyError as error:
                log.warning("the lease is not given up: %s", str(error).splitlines()[0])

    def round(self) -> bool:
        """Look and tell once; whether this notifier holds the lease."""
        if not leases.take(self._engine, LEASE, self.name, LEASE_LASTS):
            return False
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            for number in self._looker.look():
                log.warning("alert %d raised", number)
        until = time.monotonic() + _SENDING.total_seconds() / 2
        for one in self._claimed():
            if time.monotonic() > until:  # by the time it is sent another could have claimed it
                log.warning("channels take long; the others are told in some minutes")
                break
            self._tell(one)
        return True

    def _claimed(self) -> list[Telling]:
        """What is to be told now, noted as about to be."""
        file, timezone = self._file, self._settings.timezone
        if not file.channels:
            return []
        over: list[ShiftOver] = []
        if any(channel.summary for channel in file.channels.values()):
            with reading(self._engine) as connection:
                over = shifts_over(connection, timezone)
        with transaction(self._engine) as connection:
            if not leases.held(connection, LEASE, self.name, LEASE_LASTS):
                return []
            found = [
                *telling.of_alerts(connection, file, timezone, self._words),
                *telling.of_shifts(connection, file, over, timezone, self._words),
            ]
            for one in found:
                notices.claim(connection, one.keys, by=self.name, again_after=_SENDING)
            return found

    def _tell(self, one: Telling) -> None:
        try:
            problem = self._sender.send(one.address, one.message)
        except AlertError as error:
            problem = str(error)
        with transaction(self._engine) as connection:
            if problem is None:
                notices.told(connection, one.keys)
                return
            pause = min(_FIRST_PAUSE * 2 ** min(one.tried, 10), _LONGEST_PAUSE)
            notices.failed(connection, one.keys, problem, pause)
        log.error("channel %s was not told: %s", one.keys[0].channel, problem)
