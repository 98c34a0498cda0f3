"""Alerts of messages that say something this worker does not know, one a line at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts
from db.session import transaction
from producer.contract import ImageRef, ParsedMessage
from producer.contract.message import Envelope
from producer.contract.unknown import explained

log = logging.getLogger(__name__)

ALERT = "unknown_fields"
UNTIL_THEN = "{line}: {problem}; until then no such part passes without a person"
QUIET_S = 600.0  # without such a message from a line, its alert is over
# Senders name lines as they like: beyond so many, none is told of; its parts go to a person.
_MOST_LINES = 200


class UnknownFieldWatch:
    """Notes messages. Safe to use from many threads; asks the database once an alert, not more.

    Args:
        engine: where alerts are kept.
        clock: seconds, of which only differences count.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = Lock()
        # Lines with a standing alert, to their last message; who was heard last is at the end.
        self._last: dict[str, float] = {}

    def start(self) -> None:
        """Take over the alerts that a worker before this one raised."""
        now = self._clock()
        for alert in alerts.open_alerts(self._engine):
            if alert.kind == ALERT and alert.line is not None:
                self._last[alert.line] = now

    def note(self, message: ParsedMessage) -> None:
        """A message came. What the database does not take now is tried with the next one."""
        if not message.unknown and not self._last:
            return
        try:
            with self._lock:
                self._note(message)
        except SQLAlchemyError as error:
            log.warning("alert of unknown fields not stored: %s", error)

    def _note(self, message: ParsedMessage) -> None:
        now, line = self._clock(), message.envelope.line
        if message.unknown and (line in self._last or len(self._last) < _MOST_LINES):
            if line not in self._last:
                self._raise(line, message)
            self._last.pop(line, None)
            self._last[line] = now
        while self._last:
            quiet, last = next(iter(self._last.items()))
            if now - last <= QUIET_S:
                break
            with transaction(self._engine) as connection:
                alerts.resolve(connection, kind=ALERT, line=quiet)
            del self._last[quiet]

    def _raise(self, line: str, message: ParsedMessage) -> None:
        unknown = next(iter(message.unknown.values()))
        text = UNTIL_THEN.format(line=line, problem=explained(unknown, (ImageRef, Envelope)))
        log.warning("%s (producer %s)", text, message.envelope.producer)
        with transaction(self._engine) as connection:
            alerts.raise_once(connection, line=line, kind=ALERT, message=text)
