"""Which pictures left the queue so long ago that their receipts are overdue."""

from __future__ import annotations

from collections import deque


class Departures:
    """Remembers how far the queue had come, look by look. Pure: the caller brings the clocks.

    In a backlog each picture is late when a worker takes it, and needs its time from then. Were it
    sent again before, each would be judged twice, and the backlog would last twice as long.

    Args:
        patience_s: how long a picture may take from the queue to its receipt, in seconds.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        # Of the looks within the patience, those that none after them undercuts, the lowest first.
        self._looks: deque[tuple[float, float]] = deque()

    def note(self, now_s: float, oldest_sent: float) -> None:
        """The queue was looked at.

        Args:
            now_s: when, by a monotonic clock.
            oldest_sent: nothing that was sent before this moment (any other clock) waits in it.
        """
        while self._looks and self._looks[-1][1] >= oldest_sent:
            self._looks.pop()
        self._looks.append((now_s, oldest_sent))
        while self._looks[0][0] < now_s - self._patience_s:
            self._looks.popleft()

    def before(self) -> float:
        """What was sent before this moment has been out of the queue for as long as was looked.

        A message that a dead worker held comes back to the queue: its time begins anew when it is
        taken again.
        """
        return self._looks[0][1] if self._looks else float("-inf")
