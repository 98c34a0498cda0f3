"""When do waiting pictures become a batch? Pure: no threads, no clock of its own.

The rule is that of Triton's and LitServe's dynamic batchers: take a batch when it is full, or
when its oldest picture has waited `max_delay_s`. And one more: when nothing else is on its way, a
device that has nothing to do waits for nobody. The batches then grow by themselves with the load,
because pictures gather while the device is busy.

Lanes (production lines) take turns, so that a line that sends bursts cannot starve one that sends
single pictures. Within a lane the oldest goes first, or the newest where the line wants that: a
verdict that comes after the part has left is worth little.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class MicroBatcher(Generic[T]):
    """Collects items from many messages into batches.

    Args:
        max_batch: the most items a batch holds; may be changed between two batches.
        max_delay_s: how long, in seconds, an item may wait for others.
        newest_first: says of a lane, each time one is taken from, whether its newest item goes
            first. An item may then wait for as long as newer ones keep filling every batch.
    """

    def __init__(
        self,
        max_batch: int,
        max_delay_s: float,
        newest_first: Callable[[str], bool] = lambda lane: False,
    ) -> None:
        if max_batch < 1 or max_delay_s < 0:
            raise ValueError("max_batch must be at least 1 and max_delay_s not negative")
        self.max_batch = max_batch
        self.max_delay_s = max_delay_s
        self._newest_first = newest_first
        self._lanes: OrderedDict[str, deque[tuple[float, T]]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, item: T, *, lane: str, now: float) -> None:
        """Let `item` wait in `lane` from `now` (seconds on any steady clock)."""
        self._lanes.setdefault(lane, deque()).append((now, item))
        self._size += 1

    def due_in(self, now: float, *, coming: bool = True) -> float | None:
        """Seconds until a batch is due: 0 when it is, None when nothing waits.

        `coming` says whether more items are on their way, for which it may be worth to wait.
        """
        if not self._size:
            return None
        if self._size >= self.max_batch or not coming:
            return 0.0
        oldest = min(lane[0][0] for lane in self._lanes.values())
        return max(0.0, oldest + self.max_delay_s - now)

    def take(self) -> list[T]:
        """Remove and return up to `max_batch` items, lanes in turn."""
        batch: list[T] = []
        while self._size and len(batch) < self.max_batch:
            name, lane = self._lanes.popitem(last=False)
            batch.append((lane.pop() if self._newest_first(name) else lane.popleft())[1])
            self._size -= 1
            if lane:
                self._lanes[name] = lane  # to the end: the next lane's turn
        return batch
