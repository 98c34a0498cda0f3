"""Resident memory of a process, from Linux' own books."""

from __future__ import annotations

import re
import time
from pathlib import Path
from threading import Event, Thread


def memory_of(pid: int) -> dict[str, float]:
    """Resident memory now and at its highest since the process began, in MiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", text, re.MULTILINE))
    return {"rss_mib": int(found["VmRSS"]) / 1024, "peak_mib": int(found["VmHWM"]) / 1024}


class MemoryWatch:
    """Samples a process's resident memory while a block runs."""

    def __init__(self, pid: int, every_s: float = 0.25) -> None:
        self._pid, self._every_s = pid, every_s
        self._done = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.samples: list[tuple[float, float]] = []  # seconds on the wall clock, MiB

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(self._every_s):
            self.samples.append((time.time(), memory_of(self._pid)["rss_mib"]))
