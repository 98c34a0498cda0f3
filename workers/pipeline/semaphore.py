"""A bounded number of things in hand: back-pressure."""

from __future__ import annotations

from threading import Condition


class Semaphore:
    """Lends up to `most` places. A caller may take several at once, which costs one lock.

    Args:
        most: how many there are.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._closed = False
        self._changed = Condition()

    def take(self, wanted: int) -> int:
        """Wait until at least one is free; returns how many were taken, 0 once closed."""
        with self._changed:
            while not self._free and not self._closed:
                self._changed.wait()
            taken = 0 if self._closed else min(wanted, self._free)
            self._free -= taken
            return taken

    def give(self, count: int) -> None:
        """Bring `count` back."""
        with self._changed:
            self._free += count
            self._changed.notify_all()

    def close(self) -> None:
        """Lend no more, and let nobody wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
