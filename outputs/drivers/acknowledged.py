"""What a broker acknowledged, and may have lost since. Pure.

A broker that is killed loses what it had not written to its disk and what lay in the socket of a
subscriber, though it had acknowledged both. So what it acknowledged within a moment before the
connection was lost is published again on the next one, before anything else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from outputs.result import Result

DOUBTED_S = 2.0  # before the loss
_MOST = 5000  # results: what is told in that time at most


class Acknowledged:
    """What one receiver's brokers acknowledged lately. Not thread-safe."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, Result]] = deque(maxlen=_MOST)
        self._lost_at: float | None = None
        self.losses = 0  # so often the connection was lost

    def note(self, results: Sequence[Result], now_s: float) -> None:
        """These were acknowledged; where the connection is lost by now, before that."""
        at = now_s if self._lost_at is None else min(now_s, self._lost_at)
        self._taken.extend((at, result) for result in results)

    def lost(self, now_s: float) -> None:
        """The connection was lost; the first loss tells what is doubted, until `settled`."""
        self.losses += 1
        if self._lost_at is None:
            self._lost_at = now_s

    def doubted(self) -> list[Result]:
        """What is to be published again; nothing where no connection was lost."""
        if self._lost_at is None:
            return []
        since = self._lost_at - DOUBTED_S
        return [result for at, result in self._taken if at >= since]

    def settled(self, losses: int, now_s: float) -> None:
        """What was doubted was published again, and acknowledged.

        Args:
            losses: as many as there were when that began. With one more all stays in doubt.
            now_s: when it was acknowledged.
        """
        if losses != self.losses:
            return
        again = self.doubted()
        self._taken.clear()
        self._lost_at = None
        self.note(again, now_s)
