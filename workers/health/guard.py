"""Runs the watchdog in a worker, and ends the process when it complains."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis

from workers.health.awake_clock import AwakeClock
from workers.health.periodic_thread import PeriodicThread
from workers.health.shutdown import end_now
from workers.health.watchdog import Vitals, Watchdog

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
        self._clock = AwakeClock(patience_s / 4)  # a worker that was frozen has not stalled
        self._thread = PeriodicThread(
            "guard", self._look, patience_s / 10, failed="the watchdog could not look"
        )

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more: the worker is stopping and may take its time."""
        self._thread.stop(wait_s=0)

    def _look(self) -> None:
        try:
            vitals = self._vitals()
        except (redis.RedisError, OSError):
            return
        now = self._clock.read(time.monotonic())
        self.complaint = self._early.complaint(vitals, now)
        complaint = self._watchdog.complaint(vitals, now)
        if complaint is not None:
            log.critical("this worker does nothing: %s; it ends itself", complaint)
            end_now()  # no clean-up can be trusted now; the messages come back
