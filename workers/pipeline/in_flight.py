"""How many pictures the worker is at."""

from __future__ import annotations

from threading import Lock


class InFlight:
    """Counts pictures that begin and end. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.begun = 0  # since the start
        self.finished = 0  # whatever became of them

    @property
    def now(self) -> int:
        """Pictures being worked on."""
        return self.begun - self.finished

    def begin(self, count: int) -> None:
        """`count` pictures begin."""
        with self._lock:
            self.begun += count

    def finish(self) -> None:
        """One has ended."""
        with self._lock:
            self.finished += 1
