"""Threads that read and decode pictures, in the order in which they were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import SimpleQueue
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

    def stop(self, timeout_s: float) -> None:
        """Decode what waits, then end."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self._decode(item)
