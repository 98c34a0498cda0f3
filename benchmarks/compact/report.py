"""Writes what `benchmarks.compact.run` found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import click
import numpy as np

from benchmarks.report import RESULTS, document, write
from vision.weights import ABOUT_FILE

_OURS = "compact"


class Scores(Protocol):
    """What `benchmarks.compact.run.Probe` holds."""

    pool: str
    encoder: str
    per_class: int | None
    macro_f1: tuple[float, ...]


def write_report(
    probes: Sequence[Scores],
    others: Sequence[dict[str, object]],
    settings: dict[str, object],
    weights: Path,
    out: Path | None,
) -> None:
    """Write the probes' rows, the other rows, and paired comparisons as JSON."""
    about = json.loads((weights / ABOUT_FILE).read_text(encoding="utf-8"))
    told = {key: about[key] for key in ("training", "sha256")}
    report = document(
        "compact",
        settings={**settings, "encoders": about["description"], **told},
        rows=[*(_row(probe) for probe in probes), *others],
        ratios=_comparisons(probes),
    )
    path = out or RESULTS / "compact.json"
    write(report, path)
    click.echo(f"wrote {path}", err=True)


def _row(probe: Scores) -> dict[str, object]:
    values = np.asarray(probe.macro_f1)
    return {
        "task": "linear probe",
        "pictures": probe.pool,
        "encoder": probe.encoder,
        "per_class": probe.per_class or "all",
        "macro_f1": round(float(values.mean()), 4),
        "deviation": round(float(values.std(ddof=1)), 4) if len(values) > 1 else None,
        "draws": len(values),
    }


def _comparisons(probes: Sequence[Scores]) -> dict[str, object]:
    """For each pool and rival: compact's mean macro F1 over the rival's, and paired tests' p."""
    from scipy.stats import ttest_rel, wilcoxon

    ours = {(p.pool, p.per_class): np.asarray(p.macro_f1) for p in probes if p.encoder == _OURS}
    found: dict[str, object] = {}
    for probe in probes:
        mine, theirs = ours[probe.pool, probe.per_class], np.asarray(probe.macro_f1)
        if probe.encoder == _OURS or len(theirs) < 2:
            continue
        same = bool(np.all(mine == theirs))
        name = f"macro F1 of compact / {probe.encoder}: {probe.pool}, {probe.per_class} a class"
        found[name] = {
            "ratio": round(float(mine.mean() / theirs.mean()), 4),
            "difference": round(float((mine - theirs).mean()), 4),
            "draws_won": int((mine > theirs).sum()),
            "p_wilcoxon": 1.0 if same else float(wilcoxon(mine, theirs).pvalue),
            "p_t": 1.0 if same else float(ttest_rel(mine, theirs).pvalue),
        }
    return found
