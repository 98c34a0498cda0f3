"""A supervisor ends a worker that looks alive and is not, and leaves alone what is alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]

# A worker that beats. Its first run does what it is told to; the next ones are well.
WORKER = """
import os, sys
from pathlib import Path

runs, what = Path(sys.argv[1]), sys.argv[2]
with runs.open("a") as file:
    file.write(f"{os.getpid()}\\n")
first = len(runs.read_text().split()) == 1
if first and what == "never starts":
    import time
    time.sleep(600)

import ctypes, signal, time
from decimal import Decimal
from workers.broker import deliveries as module
from workers.broker.deliveries import deliveries
from workers.health import heartbeat

module.GRACE_S, heartbeat.PERIOD_S = 0.5, 0.1
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # needs the interpreter, as Celery's does
if first and what == "loads for long":
    ctypes.PyDLL(None).sleep(4)
heartbeat.Heartbeat(lambda: 4, lambda: what == "waits for the database").start()
if first and what == "holds the interpreter":
    time.sleep(1)
    int(Decimal("1e999999999"))  # no signal is looked at before it is done
if first and what in ("holds messages without work", "waits for the database"):
    deliveries.taken("a")
time.sleep(600)
"""
SUPERVISOR = """
import sys
from workers.health.pulse import Limits
from workers.health.supervisor import Program, Supervisor
limits = Limits(start_s=float(sys.argv[3]), silent_s=2, stall_s=1, grace_s=0.5)
worker = [sys.executable, "-c", sys.argv[4], *sys.argv[1:3]]
sys.exit(Supervisor([Program("w", worker, limits=limits)]).run())
"""


class Supervised:
    """A supervisor with one worker."""

    def __init__(self, folder: Path, what: str, start_s: float) -> None:
        self._runs = folder / "runs"
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, self._runs, what, str(start_s), WORKER],
                cwd=ROOT,
                stderr=log,
            )

    @property
    def pids(self) -> list[int]:
        """Of the workers it started."""
        return [int(pid) for pid in self._runs.read_text().split()] if self._runs.exists() else []

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_for_runs(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.pids) < count:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)


@contextmanager
def supervised(folder: Path, *cases: str, start_s: float = 60) -> Iterator[dict[str, Supervised]]:
    """A supervisor a case, all at once: what they do is wait."""
    several = {}
    for what in cases:
        (folder / what).mkdir()
        several[what] = Supervised(folder / what, what, start_s)
    try:
        yield several
    finally:
        for one in several.values():
            one.process.terminate()
        for one in several.values():
            one.process.wait(timeout=20)


def test_one_that_does_nothing_is_ended_and_another_started(tmp_path: Path) -> None:
    says = {
        "holds the interpreter": "has been silent for 2 s",
        "holds messages without work": "has held 1 messages without work",
    }
    with supervised(tmp_path, *says) as several:
        for what, one in several.items():
            one.wait_for_runs(2)
            assert says[what] in one.log
            assert ("ended with code -9" in one.log) == (what == "holds the interpreter")


def test_one_that_never_starts_is_ended_and_another_started(tmp_path: Path) -> None:
    with supervised(tmp_path, "never starts", start_s=3) as several:
        one = several["never starts"]
        one.wait_for_runs(2)
        assert "has not started within 3 s" in one.log
        assert "ended with code -9" not in one.log


def test_one_that_takes_its_time_is_left_alone(tmp_path: Path) -> None:
    with supervised(tmp_path, "loads for long", "waits for the database") as several:
        for one in several.values():
            one.wait_for_runs(1)
        time.sleep(6)  # three times what would be too long for another
        for one in several.values():
            assert len(one.pids) == 1, one.log


def test_stopped_processes_have_not_fallen_silent(tmp_path: Path) -> None:
    """The worker alone is stopped, or its supervisor with it."""
    with supervised(tmp_path, "is well", "is well, too") as several:
        stopped = []
        for one, whole in zip(several.values(), (False, True), strict=True):
            one.wait_for_runs(1)
            stopped += [one.pids[0], one.process.pid][: 1 + whole]
        time.sleep(1)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3)
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.5)
        for one in several.values():
            assert len(one.pids) == 1, one.log
