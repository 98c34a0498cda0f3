"""Waiting out a database that is away: what is in hand is held and tried again, without limit."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from db.outage import away, in_a_line, lost_against_another
from workers.pipeline.reply import DrainingError

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
UNHEALTHY_AFTER_S = 60.0  # a failover takes less; after it, somebody must look

T = TypeVar("T")


class DatabaseWait:
    """Does things as often as it takes while the database is away. Used by one thread."""

    def __init__(self) -> None:
        self._abandon = Event()
        self._since: float | None = None

    @property
    def now(self) -> bool:
        """Whether something is held."""
        return self._since is not None

    @property
    def seconds(self) -> float:
        """For how long; 0 if nothing is held."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def problem(self) -> str | None:
        """What is wrong once it has lasted; None before."""
        seconds = self.seconds
        if seconds < UNHEALTHY_AFTER_S:
            return None
        return f"verdicts are held for {seconds:.0f} s: the database is away, or read-only"

    def abandon(self) -> None:
        """Hold nothing any more: the worker stops."""
        self._abandon.set()

    def pause(self, seconds: float) -> bool:
        """Wait; False if it was abandoned meanwhile."""
        return not self._abandon.wait(seconds)

    def hold(self, action: Callable[[], T], rows: int) -> T:
        """Do it, and again while the database is away. Said once, and once when that is over.

        Args:
            action: what to do.
            rows: how many rows it is about, for the log.

        Raises:
            DrainingError: it was abandoned, and the database is away still.
            Exception: the database answered, and refused.
        """
        wait_s = FIRST_WAIT_S
        while True:
            try:
                done = action()
            except Exception as error:
                if not away(error):
                    self._answered()
                    raise
                if self._since is None:
                    self._since = time.monotonic()
                    log.warning("database away, holding %d rows: %s", rows, in_a_line(error))
                if not self.pause(wait_s * random.uniform(0.5, 1.5)):  # noqa: S311
                    raise DrainingError from error
                # Whoever won a deadlock is done by now: there is no outage to be patient with.
                lost = lost_against_another(error)
                wait_s = FIRST_WAIT_S if lost else min(LONGEST_WAIT_S, wait_s * 2)
            else:
                self._answered()
                return done

    def _answered(self) -> None:
        if self._since is not None:
            log.warning("database back after %.1f s", self.seconds)
            self._since = None
