"""Collects what the fault tests found, for benchmarks/results/faults.json."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, commit, document, write

SETTINGS = {"visibility_timeout_s": 6, "redelivery_sweep_s": 1, "encoders": "compact"}
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
    path = Path(os.environ.get("LINEWATCH_FAULTS_RESULTS", RESULTS / "faults.json"))
    with _alone(path.parent):
        rows = json.loads(path.read_text())["rows"] if path.exists() else []
        write(document("faults", settings=SETTINGS, rows=merged(rows, row), ratios={}), path)


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


@cache
def _commit() -> str:
    """The commit of the code that runs: each row names its own, the file that of the newest."""
    return commit()
