"""Which pictures' files are being read right now, and since when.

A read from a network share whose server is gone does not fail: it waits in the kernel, and no
thread can be called back from there. All that can be done is to know it, and to wait with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock


class FileReads:
    """Counts reads under way. Safe to use from many threads.

    Args:
        clock: seconds, of which only differences count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[int, float] = {}
        self._numbers = count()
        self._lock = Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A read, from here to the end of the block."""
        with self._lock:
            number = next(self._numbers)
            self._begun[number] = self._clock()
        try:
            yield
        finally:
            with self._lock:
                del self._begun[number]

    def waiting(self, longer_than_s: float) -> int:
        """How many reads have been under way for longer than this."""
        now = self._clock()
        with self._lock:
            return sum(now - begun > longer_than_s for begun in self._begun.values())
