"""Collects what the fault tests found, for benchmarks/results/faults.json."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]
RESULTS = REPOSITORY / "benchmarks" / "results" / "faults.json"
LONG = bool(os.environ.get("LINEWATCH_FAULTS_LONG"))


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


def times(short: int, long: int) -> int:
    """How often to provoke a fault: few times in `make test`, many in `make faults`."""
    return long if LONG else short


def record(row: Row) -> None:
    """Keep a row; only the long run changes the results that are committed."""
    if not LONG:
        return
    path = Path(os.environ.get("LINEWATCH_FAULTS_RESULTS", RESULTS))
    with _alone(path.parent):
        rows = json.loads(path.read_text())["rows"] if path.exists() else []
        path.write_text(json.dumps(document(merged(rows, row)), indent=1) + "\n")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: two files of tests may run at once."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def merged(rows: list[dict[str, Any]], row: Row) -> list[dict[str, Any]]:
    """The rows with this one in place of an older one about the same fault and database."""
    key = (row.fault, row.database)
    others = [old for old in rows if (old["fault"], old["database"]) != key]
    new = {**asdict(row), "commit": _commit()}
    return sorted([*others, new], key=lambda r: (r["fault"], r["database"]))


def document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The result file. Each row names the commit that ran; the file, that of the newest row."""
    return {
        "name": "faults",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores {platform.machine()} {platform.python_version()}",
        "settings": {"visibility_timeout_s": 6, "redelivery_sweep_s": 1, "encoders": "compact"},
        "rows": rows,
        "ratios": {},
    }


@cache
def _commit() -> str:
    """The commit of the code that runs, `-dirty` where tracked files differ from it."""
    named = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", ":!benchmarks/results")
    return named + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
