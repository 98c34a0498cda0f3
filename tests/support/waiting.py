"""Waiting for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until `condition` holds; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.005)


def until_counted(count: Callable[[], int], goal: int, stalled_s: float = 120) -> None:
    """Wait until `count` has reached `goal`; fails where it has stood still for `stalled_s`.

    A busy machine is slow, and may be: what is waited for must go on.
    """
    before, deadline = -1, time.monotonic() + stalled_s
    while (found := count()) < goal:
        if found != before:
            before, deadline = found, time.monotonic() + stalled_s
        assert time.monotonic() < deadline, f"it stands still at {found} of {goal}"
        time.sleep(0.05)
