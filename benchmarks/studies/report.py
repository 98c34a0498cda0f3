"""Writes what a study found, in the form of every result file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

from benchmarks import report
from benchmarks.report import RESULTS

__all__ = ["RESULTS", "read", "write"]


def write(
    name: str,
    *,
    settings: Mapping[str, object],
    rows: Sequence[Mapping[str, object]],
    ratios: Mapping[str, object],
) -> None:
    """Write `benchmarks/results/<name>.json`."""
    path = RESULTS / f"{name}.json"
    report.write(report.document(name, settings=settings, rows=rows, ratios=ratios), path)
    click.echo(f"wrote {path.name}", err=True)


def read(name: str) -> dict[str, object]:
    """What was written under this name."""
    found: dict[str, object] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found
