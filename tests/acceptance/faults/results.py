"""Collects what the fault tests found, for benchmarks/results/faults.json.

The long run writes there; a short one writes nothing, unless LINEWATCH_FAULTS_RESULTS names a file.
`tests/acceptance/faults/conftest.py` says here when a test begins and how it ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, code_commit, document, write
from tests.acceptance.faults import journal
from tests.acceptance.faults.history import History
from tests.acceptance.faults.mode import LONG, MODE, Mode
from tests.acceptance.faults.parts import LONGEST_MINUTES, PARTS, part_of
from tests.acceptance.live import Live

_SETTINGS = (
    *("visibility_timeout_s", "redelivery_sweep_s", "lease_renewal_s", "receipt_timeout_s"),
    "encoders",
)
_OPTIONAL = ("memory_mb", "backlog", "drained_s")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of fault, how often it was provoked, and what became of the pictures."""

    fault: str
    database: str
    runs: int
    accepted: int
    lost: int
    duplicated: int
    recover_s: float | None
    settings: dict[str, Any] = field(default_factory=dict)
    memory_mb: tuple[float, float] | None = None  # of the worker, at first and at last
    backlog: int | None = None
    drained_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a line came back after a fault.

    Attributes:
        recover_s: from the fault's end until pictures were judged again.
        backlog: how many pictures, or messages, had no verdict at the end of the fault.
        drained_s: until all of them had. It is the machine's speed more than the fault's doing.
    """

    recover_s: float
    backlog: int
    drained_s: float


class Recorder:
    """Keeps the rows of the test that runs, and merges them into the file of results.

    Args:
        path: of that file; it need not exist.
        mode: of the run.
    """

    def __init__(self, path: Path, mode: Mode) -> None:
        self._path, self._mode = path, mode
        self._found: list[Row] = []
        self._before: list[journal.Stored] = []
        self._run: dict[str, Any] = {}
        self._began = 0.0

    def begin(self, test: str) -> None:
        """Mark this test's rows as unfinished, until `end` says otherwise."""
        self._run = {
            "test": test,
            "part": part_of(test),
            "mode": self._mode,
            "commit": code(),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._found, self._began = [], time.monotonic()
        with self._alone():
            self._before = stored(self._path)
            self._write(journal.begun(self._before, self._run))

    def note(self, row: Row) -> None:
        """Keep what the test found; it is written when the test ends."""
        self._found.append(row)

    def end(self, problem: str | None, *, skipped: bool = False) -> None:
        """Merge the rows; of a test that failed, say why. A skipped one leaves all as it was."""
        seconds = round(time.monotonic() - self._began)
        told = (asdict(row) for row in self._found)
        found = [{**_without_gaps(row), "seconds": seconds} for row in told]
        mine = [row for row in self._before if row.get("test") == self._run["test"]]
        with self._alone():
            others = [r for r in stored(self._path) if r.get("test") != self._run["test"]]
            rows = [*others, *mine]
            self._write(rows if skipped else journal.ended(rows, found, self._run, problem))

    def _write(self, rows: list[journal.Stored]) -> None:
        settings = {"parts": PARTS, "longest part in minutes": LONGEST_MINUTES}
        write(document("faults", settings=settings, rows=rows, ratios={}), self._path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time: two parts may run at once."""
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def stored(path: Path) -> list[journal.Stored]:
    """The rows of a file of results; none where there is no file."""
    rows: list[journal.Stored] = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


@cache
def recorder() -> Recorder | None:
    """Where this run records; None: nowhere."""
    path = results_path()
    return None if path is None else Recorder(path, MODE)


def results_path() -> Path | None:
    """The file that this run changes."""
    named = os.environ.get("LINEWATCH_FAULTS_RESULTS")
    if named:
        return Path(named)
    return RESULTS / "faults.json" if LONG else None


def record(row: Row) -> None:
    """Keep a row of the test that runs."""
    if (kept := recorder()) is not None:
        kept.note(row)


def noted(
    plant: Live,
    fault: str,
    runs: int,
    found: History,
    recovery: Recovery | float | None = None,
    memory_mb: tuple[float, float] | None = None,
) -> None:
    """Record a fault that a plant came through, with the settings that it had."""
    drained = recovery if isinstance(recovery, Recovery) else None
    recover_s = recovery.recover_s if isinstance(recovery, Recovery) else recovery
    record(
        Row(
            fault,
            plant.engine.dialect.name,
            runs,
            found.accepted,
            found.lost,
            found.duplicated,
            _rounded(recover_s),
            settings_of(plant),
            memory_mb,
            drained.backlog if drained else None,
            _rounded(drained.drained_s) if drained else None,
        )
    )


def _without_gaps(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in _OPTIONAL or v is not None}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def settings_of(plant: Live) -> dict[str, Any]:
    """What decides how soon pictures come back, and what judged which pictures."""
    told = {name: getattr(plant.settings, name) for name in _SETTINGS}
    return {**told, "model": plant.model, "pictures": plant.shows}


@cache
def code() -> str:
    """The commit of the code that runs: each row names its own, the file that of the newest."""
    return code_commit()
