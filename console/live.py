"""One look at the lines for everybody who watches them, and one poller a process."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
FRESH_S = 1.0  # a page that is asked for shows a look this old
PERIOD_S = 1.0  # streams show one at most this old


class Shared(Generic[T]):
    """A look that many share: taken at most once in `FRESH_S`, however many ask.

    Args:
        look: takes it; it may raise, and whoever asked gets that.
    """

    def __init__(self, look: Callable[[], T], fresh_s: float = FRESH_S) -> None:
        self._look, self._fresh_s = look, fresh_s
        self._lock = threading.Lock()
        self._taken_at: float | None = None
        self._taken: T | None = None

    def now(self) -> T:
        """The look, taken anew where it is too old."""
        with self._lock:
            if self._taken_at is None or time.monotonic() - self._taken_at >= self._fresh_s:
                self._taken = self._look()
                self._taken_at = time.monotonic()
            assert self._taken is not None
            return self._taken


class Broadcast(Generic[T]):
    """Tells every watcher of a look what it is now. It polls only while somebody watches.

    Args:
        look: takes it, in a thread.
    """

    def __init__(self, look: Callable[[], T], period_s: float = PERIOD_S) -> None:
        self._look, self._period_s = look, period_s
        self._changed = asyncio.Event()
        self._latest: T | None = None
        self._poller: asyncio.Task[None] | None = None
        self.watchers = 0
        self.looks = 0

    async def watch(self) -> AsyncGenerator[T | None, None]:
        """Each look as it comes; None while the last one failed. Ends only when it is closed."""
        self.watchers += 1
        try:
            if self._poller is None or self._poller.done():
                self._poller = asyncio.create_task(self._poll())
            while True:
                await self._changed.wait()
                yield self._latest
                await asyncio.sleep(0)
        finally:
            self.watchers -= 1

    async def _poll(self) -> None:
        while self.watchers:
            try:
                self._latest = await asyncio.to_thread(self._look)
            except Exception as error:  # the database is away, say; the next look may succeed
                log.warning("the lines were not looked at: %s", error)
                self._latest = None
            self.looks += 1
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
            await asyncio.sleep(self._period_s)
