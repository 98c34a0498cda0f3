"""A lock that is given in the order of asking; Python's own lets anyone barge in."""

from __future__ import annotations

from collections import deque
from threading import Lock


class FairLock:
    """Lets one thread through at a time, first come, first served."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._busy = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._mutex:
            if not self._busy:
                self._busy = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # released by the thread before us

    def __exit__(self, *_: object) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._busy = False
