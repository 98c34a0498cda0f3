"""Processes that stand still."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import until


def freeze(pid: int) -> None:
    """SIGSTOP, and wait until each thread of the process stands still.

    The signal is there before that: on a busy machine other threads go on for some 10 ms.
    """
    os.kill(pid, signal.SIGSTOP)
    until(lambda: _states(pid) == {"T"})


def _states(pid: int) -> set[str]:
    """The states of its threads, see proc(5); T: stopped."""
    found = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # a thread that has just ended
            found.add(stat.read_text().rpartition(")")[2].split()[0])
    return found
