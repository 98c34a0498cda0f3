"""Threads that read and decode pictures, in the order in which they were asked for.

Handing a small picture to another thread costs more than to read it, so a caller may decode its
own where that is nobody's turn and no more than the allowed number are decoded at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


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
        self._threads = [
            Thread(target=self._run, name=f"decode_{n}", daemon=True) for n in range(threads)
        ]

    def start(self) -> None:
        """Begin to decode."""
        for thread in self._threads:
            thread.start()

    def put(self, items: Iterable[T]) -> None:
        """Let `items` wait for their turn."""
        for item in items:
            self._queue.put(item)

    def here(self, item: T) -> None:
        """Decode `item` in this thread if nobody waits and there is a place, else in its turn."""
        try:
            if not self._queue.empty():
                raise Empty
            self._permits.get_nowait()
        except Empty:
            self._queue.put(item)
            return
        self._decode(item)
        self._permits.put(None)

    def stop(self, timeout_s: float) -> None:
        """Decode what waits, then end."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self._permits.get()
            self._decode(item)
            self._permits.put(None)
