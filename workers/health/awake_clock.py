"""A clock that runs only while this process does.

A process that was stopped (SIGSTOP, a debugger, a frozen container) or starved for a minute wakes
up and finds that "nothing has happened for a minute". That is its own fault, and nobody's sign.
"""

from __future__ import annotations


class AwakeClock:
    """Seconds that were seen to pass. Pure: the caller brings a monotonic clock.

    Args:
        most_step_s: of a longer time between two readings only so much counts, in seconds.
    """

    def __init__(self, most_step_s: float) -> None:
        self._most_step_s = most_step_s
        self._last: float | None = None
        self._awake_s = 0.0

    def read(self, now: float) -> float:
        """The seconds seen to pass since the first reading, which is at 0."""
        if self._last is not None:
            self._awake_s += min(max(0.0, now - self._last), self._most_step_s)
        self._last = now
        return self._awake_s
