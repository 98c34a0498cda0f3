"""Threads that read and decode pictures, in the order in which they were asked for.

Handing a small picture to another thread costs more than to read it, so a caller may decode its
own where that is nobody's turn and no more than the allowed number are decoded at once.

A read may never return, so stopping has two steps: `close` gives back what was not begun, `wait`
says after a while what is still in the decoders' hands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

_LOOK_S = 0.02


class DecodePool(Generic[T]):
    """Calls `decode` with each item. An executor would make a future and two locks for each.

    Args:
        threads: how many items are decoded at once.
        decode: must not raise.
    """

    def __init__(self, threads: int, decode: Callable[[T], None]) -> None:
        self._decode = decode
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._permits: SimpleQueue[None] = SimpleQueue()  # written in C, unlike Semaphore
        for _ in range(threads):
            self._permits.put(None)
        self._in_hand: set[T] = set()  # its methods are atomic
        self._closed = False
        self._threads = [
            Thread(target=self._run, name=f"decode_{n}", daemon=True) for n in range(threads)
        ]

    def start(self) -> None:
        """Begin to decode."""
        for thread in self._threads:
            thread.start()

    def put(self, items: Iterable[T]) -> list[T]:
        """Let `items` wait for their turn; returns what came too late for that, after `close`."""
        for item in items:
            self._queue.put(item)
        return self._take_back() if self._closed else []

    def here(self, item: T) -> list[T]:
        """Decode `item` in this thread if nobody waits and there is a place, else as `put` does."""
        try:
            if not self._queue.empty():
                raise Empty
            self._permits.get_nowait()
        except Empty:
            return self.put([item])
        self._in_hand.add(item)
        self._decode(item)
        self._in_hand.discard(item)
        self._permits.put(None)
        return []

    def close(self) -> list[T]:
        """Begin no more; returns what was not begun."""
        self._closed = True
        return self._take_back()

    def wait(self, timeout_s: float) -> list[T]:
        """Wait until all that was begun is decoded; returns what still is not after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        while (left := self._in_hand.copy()) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)  # at what callers decode
        return list(left)

    def _take_back(self) -> list[T]:
        left: list[T] = []
        with suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if item is not None:
                    left.append(item)
        for _ in self._threads:
            self._queue.put(None)
        return left

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self._in_hand.add(item)
            self._permits.get()
            self._decode(item)
            self._in_hand.discard(item)
            self._permits.put(None)
