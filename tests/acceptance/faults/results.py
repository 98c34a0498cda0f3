"""Collects what the fault tests found, for benchmarks/results/faults.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

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
    document = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": []}
    rows = [
        old
        for old in document["rows"]
        if (old["fault"], old["database"]) != (row.fault, row.database)
    ]
    rows.append(asdict(row))
    document = {
        "name": "faults",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": " ".join(
            [f"{os.cpu_count()} cores", platform.machine(), platform.python_version()]
        ),
        "settings": {"visibility_timeout_s": 6, "redelivery_sweep_s": 1, "encoders": "compact"},
        "rows": sorted(rows, key=lambda r: (r["fault"], r["database"])),
        "ratios": {},
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
