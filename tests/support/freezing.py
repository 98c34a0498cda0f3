"""Processes that stand still."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Protocol

from tests.support.waiting import until


class Signalled(Protocol):
    """A process that takes signals."""

    pid: int

    def send_signal(self, sig: int, /) -> None: ...


def freeze(process: Signalled) -> None:
    """SIGSTOP, and wait until each of its threads stands still.

    The signal is there before that: on a busy machine other threads go on for some 10 ms.
    """
    process.send_signal(signal.SIGSTOP)
    until(lambda: _states(process.pid) == {"T"})


def _states(pid: int) -> set[str]:
    """The states of its threads, see proc(5); T: stopped."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    return {stat.read_text().rpartition(")")[2].split()[0] for stat in stats}
