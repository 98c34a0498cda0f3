"""What else the machine did while a round was measured: steal, and work that is not ours."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psutil

MOST_STEAL = 0.02  # of the machine's processor time, taken by other virtual machines
MOST_FOREIGN = 0.05  # used by processes that are not of the benchmark; of 2 cores: a tenth of one

# Servers that work for the benchmark without being its children: PostgreSQL's may be the machine's
# own, and Ray's leave their parent.
_SERVERS = ("postgres", "redis-server", "valkey-server", "raylet", "gcs_server", "ray::")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Shares of the machine's processor time in a span, and the load average at its end."""

    steal: float
    foreign: float
    load: float

    @property
    def disturbed(self) -> bool:
        """Whether what was measured meanwhile is worth nothing."""
        return self.steal > MOST_STEAL or self.foreign > MOST_FOREIGN

    def as_row(self) -> dict[str, Any]:
        """As result files hold it: percentages."""
        shares = {name: 100 * share for name, share in asdict(self).items() if name != "load"}
        return {f"{name} %": share for name, share in shares.items()} | {"load": self.load}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Processor seconds since the machine started, and those of this benchmark's processes."""

    passed: float  # on all cores together
    stolen: float
    busy: float  # user and system, whoever's
    ours: float  # of that, by the benchmark's own processes, those that ended included

    @classmethod
    def now(cls) -> Snapshot:
        """Read it."""
        times = psutil.cpu_times()
        busy = times.user + times.system + getattr(times, "nice", 0.0)
        stolen = getattr(times, "steal", 0.0)
        passed = time.monotonic() * (os.cpu_count() or 1)
        return cls(passed, stolen, busy, sum(_ours()))


def between(before: Snapshot, after: Snapshot, load: float) -> Conditions:
    """The conditions in a span. What a process used that ended is counted with its parent.

    Args:
        before, after: the ends of the span.
        load: the load average at its end.
    """
    passed = max(after.passed - before.passed, 1e-9)
    foreign = max(0.0, after.busy - before.busy - (after.ours - before.ours))
    return Conditions((after.stolen - before.stolen) / passed, foreign / passed, load)


def load() -> float:
    """The load average of the last minute; 0 where the system keeps none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _ours() -> Iterator[float]:
    """The seconds of this process, its descendants, and the servers that work for it."""
    me = psutil.Process()
    family = {me.pid, *(child.pid for child in me.children(recursive=True))}
    for process in psutil.process_iter(["pid", "name", "cpu_times"]):
        info = process.info
        if info["cpu_times"] is None:  # somebody else's, and this system tells nothing of it
            continue
        if info["pid"] in family or (info["name"] or "").startswith(_SERVERS):
            times = info["cpu_times"]
            yield times.user + times.system
            # Of children that it has waited for; a system without these books has none of it.
            yield getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
