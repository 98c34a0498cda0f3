"""Writes what a study found, in the form of every result file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

RESULTS = Path(__file__).parents[1] / "results"


def write(
    name: str,
    *,
    settings: Mapping[str, object],
    rows: Sequence[Mapping[str, object]],
    ratios: Mapping[str, object],
) -> None:
    """Write `benchmarks/results/<name>.json`; floats are rounded to four places."""
    report = {
        "name": name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores {platform.machine()} {platform.python_version()}",
        "settings": settings,
        "rows": [{key: _rounded(value) for key, value in row.items()} for row in rows],
        "ratios": {key: _rounded(value) for key, value in ratios.items()},
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    click.echo(f"wrote {path.name}", err=True)


def read(name: str) -> dict[str, object]:
    """What was written under this name."""
    found: dict[str, object] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip() or "unknown"
