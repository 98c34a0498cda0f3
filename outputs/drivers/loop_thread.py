"""An event loop on a thread of its own, for a driver whose library is asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import TypeVar

STOP_S = 5.0

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads."""

    def __init__(self, name: str) -> None:
        """Start it."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[None, None, T], timeout_s: float) -> T:
        """Run a coroutine on the loop and return what it returns, or raise what it raises.

        Raises:
            RuntimeError: the loop has ended.
            TimeoutError: it took longer; it goes on.
        """
        if not self._thread.is_alive():
            work.close()
            raise RuntimeError("the event loop has ended")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def end(self) -> None:
        """Cancel what still runs, and stop; raises nothing."""
        with contextlib.suppress(Exception):
            self.run(_cancel_all(), STOP_S)
        with contextlib.suppress(RuntimeError):  # it was ended before
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
