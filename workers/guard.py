"""Runs the watchdog in a worker, and ends the process when it complains."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

import redis

from workers.ending import end_now
from workers.watchdog import Vitals, Watchdog

log = logging.getLogger(__name__)


class Guard:
    """A thread that looks at the worker's vitals every few seconds.

    Args:
        vitals: shows the worker at this moment; a Redis that is away is no reason to end.
        patience_s: how long nothing may happen while there is work, in seconds.
    """

    def __init__(self, vitals: Callable[[], Vitals], patience_s: float) -> None:
        self._vitals = vitals
        self._watchdog = Watchdog(patience_s)
        self._early = Watchdog(patience_s / 2)
        self.complaint: str | None = None  # at half the patience: health checks say it first
        self._period_s = patience_s / 10
        self._stop = Event()
        self._thread = Thread(target=self._run, name="guard", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more: the worker is stopping and may take its time."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            try:
                vitals, now = self._vitals(), time.monotonic()
            except (redis.RedisError, OSError):
                continue
            self.complaint = self._early.complaint(vitals, now)
            complaint = self._watchdog.complaint(vitals, now)
            if complaint is not None:
                log.critical("this worker does nothing: %s; it ends itself", complaint)
                end_now()  # no clean-up can be trusted now; the messages come back
