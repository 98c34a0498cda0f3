"""The thread that drains a spool while its camera works on, whatever state the broker is in."""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from linewatch.errors import ConfigurationError, LinewatchError
from linewatch.extras import advice
from linewatch.settings import Settings
from producer.disk_reserve import is_disk_full
from producer.drain import RECEIPT_POLL_S, Drain, Round
from producer.drain_lock import DrainLock
from producer.outbox import Outbox
from producer.publisher import Publisher

log = logging.getLogger(__name__)

_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 5.0
_IDLE_S = 0.2  # to see what other processes put into the spool
_QUEUE_FULL_S = 0.5
_LOCK_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class SenderState:
    """How the sender is doing."""

    draining: bool = False  # False: another process drains this spool, or it has not begun
    queue_full: bool = False
    trouble: str | None = None  # why nothing can be sent or received now


class Sender:
    """Drains one spool in a daemon thread, unless another process does.

    Args:
        path: the spool.
        settings: broker, limits and timeouts.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path = path
        self._settings = settings
        self._lock = DrainLock(path)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._failures = 0
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"sender {path.name}", daemon=True)
        self.state = SenderState()

    def start(self, ready_timeout_s: float = 5.0) -> None:
        """Begin, and wait until the thread has done its imports (they would slow the caller).

        Raises:
            ConfigurationError: see `check`.
        """
        self._thread.start()
        self._ready.wait(ready_timeout_s)
        self.check()

    def check(self) -> None:
        """See that this sender can ever send; whatever waits for it asks now and then.

        Raises:
            ConfigurationError: a package is missing: no waiting brings it.
        """
        if self._fault is not None:
            raise ConfigurationError(self._fault)

    def wake(self) -> None:
        """Say that there is something to send."""
        self._wake.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End after the current round. What is not sent stays in the spool."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._drain_while_ours()
            except ImportError as error:
                self._fault = advice(error)
                log.critical("%s: nothing can be sent: %s", self._path.name, self._fault)
                self.state = SenderState(trouble=self._fault)
                self._ready.set()
                return
            except Exception as error:  # a camera's only sender must not die
                self._note(error)
                self._ready.set()
                self._stop.wait(self._backoff_s())

    def _drain_while_ours(self) -> None:
        outbox = Outbox(self._path)
        publisher = Publisher(self._settings, outbox.producer_id)
        self._ready.set()
        try:
            while not self._lock.acquire():
                self.state = SenderState()
                if self._stop.wait(_LOCK_POLL_S):
                    return
            drain = Drain(outbox, publisher, self._settings)
            while not self._stop.is_set():
                self._one_round(drain, outbox)
        finally:
            self._lock.release()
            publisher.close()
            outbox.close()

    def _one_round(self, drain: Drain, outbox: Outbox) -> None:
        self._wake.clear()
        try:
            done = drain.round()
        except (LinewatchError, sqlite3.Error) as error:
            self._note(error)
            if is_disk_full(error):
                self._make_room(outbox)
            self._stop.wait(self._backoff_s())
            return
        if self._failures:
            log.info("%s: sending again", self._path.name)
        self._failures = 0
        self.state = SenderState(draining=True, queue_full=done.queue_full)
        self._pause(done, outbox)

    def _pause(self, done: Round, outbox: Outbox) -> None:
        if done.queue_full:
            self._stop.wait(_QUEUE_FULL_S * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        elif not done.sent:
            self._wake.wait(RECEIPT_POLL_S if outbox.awaits_receipts() else _IDLE_S)

    def _make_room(self, outbox: Outbox) -> None:
        try:
            outbox.make_room()
        except sqlite3.Error as error:
            log.debug("%s: no room made: %s", self._path.name, error)

    def _note(self, error: Exception) -> None:
        self._failures += 1
        self.state = replace(self.state, trouble=str(error))
        if self._failures == 1:  # once for each outage, not for each try
            log.warning("%s: pictures stay in the spool: %s", self._path.name, error)

    def _backoff_s(self) -> float:
        longest = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(self._failures, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, so that cameras spread out
