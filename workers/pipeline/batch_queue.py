"""The micro-batcher between threads: decoders put pictures in, the device thread takes batches."""

from __future__ import annotations

import time
from threading import Condition
from typing import Generic, TypeVar

from workers.pipeline.batcher import MicroBatcher

T = TypeVar("T")


class BatchQueue(Generic[T]):
    """Blocks the taker until a batch is due. Closing wakes it and hands back what waits."""

    def __init__(self, batcher: MicroBatcher[T]) -> None:
        self._batcher = batcher
        self._changed = Condition()
        self._coming = 0
        self._busy = False
        self._closed = False

    def __len__(self) -> int:
        with self._changed:
            return len(self._batcher)

    def expect(self, count: int) -> None:
        """`count` items are on their way: a batch may wait for them."""
        with self._changed:
            self._coming += count

    def downstream(self, busy: bool) -> None:
        """Whether what comes after the batch is busy: then a batch may wait for more as well."""
        with self._changed:
            self._busy = busy
            if not busy:
                self._changed.notify()

    def excuse(self) -> None:
        """An item that was expected does not come."""
        with self._changed:
            self._arrived()

    def put(self, item: T, *, lane: str) -> bool:
        """Let an expected `item` wait for a batch; False when the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            self._batcher.add(item, lane=lane, now=time.monotonic())
            self._arrived()
            return True

    def take(self, most: int | None = None) -> list[T]:
        """Wait for the next batch, of at most `most` items; an empty list means closed."""
        with self._changed:
            if most is not None:
                self._batcher.max_batch = most
            while not self._closed:
                due_in = self._batcher.due_in(time.monotonic(), coming=self._wanting)
                if due_in == 0:
                    return self._batcher.take()
                self._changed.wait(due_in)
            return []

    def take_full(self, size: int) -> list[T]:
        """A batch of `size` items if as many wait, an empty list if not; does not block."""
        with self._changed:
            if self._closed or len(self._batcher) < size:
                return []
            self._batcher.max_batch = size
            return self._batcher.take()

    def close(self) -> list[T]:
        """Take no more items; returns those that still waited."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            left: list[T] = []
            while len(self._batcher):
                left += self._batcher.take()
            return left

    @property
    def _wanting(self) -> bool:
        return self._coming > 0 or self._busy

    def _arrived(self) -> None:
        self._coming = max(0, self._coming - 1)
        size = len(self._batcher)
        # The first starts the clock. In between, waking the taker would be for nothing.
        if size == 1 or not self._wanting or size >= self._batcher.max_batch:
            self._changed.notify()
