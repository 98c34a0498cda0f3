"""Collects what the fault tests found, for benchmarks/results/faults.json."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.report import document, write

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "faults.json"
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
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": []}
    rows = [
        old
        for old in earlier["rows"]
        if (old["fault"], old["database"]) != (row.fault, row.database)
    ]
    rows.append(asdict(row))
    settings = {"visibility_timeout_s": 6, "redelivery_sweep_s": 1, "encoders": "compact"}
    ordered = sorted(rows, key=lambda r: (r["fault"], r["database"]))
    write(document("faults", settings=settings, rows=ordered, ratios={}), RESULTS)
