"""Items that get another turn after a while, so that no thread need wait beside them."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from itertools import count
from threading import Condition, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class DelayQueue(Generic[T]):
    """Calls `again` with each item once its delay is over.

    Args:
        again: must not raise, nor take long.
        name: the thread's.
    """

    def __init__(self, again: Callable[[T], None], name: str) -> None:
        self._again = again
        self._due: list[tuple[float, int, T]] = []
        self._number = count()  # of items due at once, the first first
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to hand out what is due."""
        self._thread.start()

    def put(self, item: T, delay_s: float) -> bool:
        """Keep `item` for `delay_s`; False when closed."""
        with self._changed:
            if self._closed:
                return False
            heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._number), item))
            self._changed.notify()
            return True

    def close(self) -> list[T]:
        """Hand out no more; returns what still waited."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            left = [item for _, _, item in self._due]
            self._due.clear()
        return left

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (delay := self._delay()) != 0:
                    self._changed.wait(delay)
                if self._closed:
                    return
                item = heapq.heappop(self._due)[2]
            self._again(item)

    def _delay(self) -> float | None:
        """Seconds until the next item is due; None: there is none."""
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
