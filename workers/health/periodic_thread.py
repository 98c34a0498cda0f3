"""A thread that does something again and again, for as long as its worker runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread, current_thread

from db.outage import in_a_line

JOIN_S = 5.0

log = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `action` again and again, a fixed delay apart: from one call's end to the next's begin.

    So calls never overlap or pile up behind a slow one, and the times of calls drift by what they
    take. What an action raises is logged, and the next call comes as if nothing had happened: the
    only one who looks must not die.

    Args:
        name: the thread's.
        action: what is done.
        period_s: seconds of the delay.
        failed: what is said before an error of `action`.
        expected: errors that happen (a database, or Redis, that is away): a warning of one line;
            any other is logged with its traceback.
        at_once: whether the first call comes without the delay.
    """

    def __init__(
        self,
        name: str,
        action: Callable[[], object],
        period_s: float,
        *,
        failed: str,
        expected: tuple[type[Exception], ...] = (),
        at_once: bool = False,
    ) -> None:
        self._action = action
        self._period_s = period_s
        self._failed = failed
        self._expected = expected
        self._at_once = at_once
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop, for an action that takes long."""
        return self._stop.is_set()

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, wait_s: float = JOIN_S) -> None:
        """Call no more, and wait for the call under way, for `wait_s` at most.

        A delay ends at once. Harmless to repeat, before the start, and from within the action.
        """
        self._stop.set()
        if wait_s and self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(wait_s)

    def _run(self) -> None:
        if self._at_once and not self.stopping:
            self._call()
        while not self._stop.wait(self._period_s):
            self._call()

    def _call(self) -> None:
        try:
            self._action()
        except self._expected as error:
            log.warning("%s: %s", self._failed, in_a_line(error))
        except Exception:
            log.exception("%s", self._failed)
