"""How soon a failing lamp is noticed, and how often nothing is taken for something.

`python -m benchmarks.studies.drift --cache DIR`. Every camera has a baseline of 500 parts of the
steady line of its own. Delays: 20 drifting streams, each after 200 more undrifted parts. False
alarms: 20 cameras that see all other parts of the steady line, in an order of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks.studies import report
from benchmarks.studies.features import Encoders
from benchmarks.studies.pictures import (
    DRIFT_SEEDS,
    Pictures,
    cable_parts,
    drifting_streams,
    steady_stream,
)
from benchmarks.studies.sets import judgements, options
from model_store.heads.fit import fit_head
from model_store.validation.crossval import cross_validate
from model_store.verdicts.decisions import Decided, decide
from model_store.verdicts.policy import Policy
from producer.contract import Verdict
from quality.arrays import Floats
from quality.drift.drift import DriftCharts, Sample, fit_baseline, fit_optics, project
from quality.drift.optics import optics_of

BASELINE, RUN_IN = 500, 200
PSI_WINDOW, PSI_LIMIT, PSI_BINS = 200, 0.2, 10  # the usual rule of thumb
Row = dict[str, object]


@click.command()
@options
def main(cache: Path, photographs: Path | None, weights: Path | None) -> None:
    """Measure and write benchmarks/results/study_drift.json."""
    encoders = Encoders(cache, weights)
    decided = _model(encoders, cache)
    steady = steady_stream(cache)
    usual = _samples(decided, encoders, steady)
    streams = {
        kind: [_samples(decided, encoders, s) for s in drifting_streams(cache, kind)]
        for kind in ("fade", "step")
    }
    rows: list[Row] = []
    for seed in range(DRIFT_SEEDS):
        rows += _camera(seed, usual, streams)
        click.echo(f"camera {seed}: {rows[-3:]}", err=True)
    settings = {
        "encoders": encoders.description,
        "baseline": BASELINE,
        "run_in": RUN_IN,
        "steady_parts": len(usual),
        "fade": "a thousandth of the light lost with every part",
        "step": "a tenth of the light lost at once",
        "psi": f"window {PSI_WINDOW}, limit {PSI_LIMIT}, {PSI_BINS} bins, worst of 12 projections",
    }
    report.write("study_drift", settings=settings, rows=rows, ratios=_ratios(rows))


def _model(encoders: Encoders, cache: Path) -> Decided:
    pictures = cable_parts(cache)
    features, labels = encoders.features(pictures), pictures.labels
    return decide(
        fit_head(features, labels),
        cross_validate(features, labels),
        features,
        labels,
        good_class="good",
        policy=Policy(novelty_rate=0.005),
    )


def _samples(decided: Decided, encoders: Encoders, pictures: Pictures) -> list[Sample]:
    features = encoders.features(pictures)
    said = judgements(decided, features, "good")
    measured = [optics_of(pixels) for batch in pictures.batches() for pixels in batch]
    return [
        Sample(where, one.confidence, one.verdict is Verdict.REVIEW, rejected=False, optics=optics)
        for where, one, optics in zip(project(features), said, measured, strict=True)
    ]


def _camera(seed: int, usual: list[Sample], streams: dict[str, list[list[Sample]]]) -> list[Row]:
    order = np.random.default_rng(seed).permutation(len(usual))
    shuffled = [usual[index] for index in order]
    first, rest = shuffled[:BASELINE], shuffled[BASELINE:]
    baseline, optics = fit_baseline(first, seed=seed), fit_optics(first, seed=seed)
    rows: list[Row] = []
    alarms = list(_alarms(DriftCharts(baseline, optics), rest))
    rows.append(
        {
            "camera": seed,
            "stream": "steady",
            "parts": len(rest),
            "alarms": len(alarms),
            "psi_alarms": len(_psi_alarms(first, rest)),
        }
    )
    for kind, runs in streams.items():
        stream = rest[:RUN_IN] + runs[seed]
        found = [
            (n - RUN_IN, signal)
            for n, signal in _alarms(DriftCharts(baseline, optics), stream)
            if n > RUN_IN
        ]
        psi = [n - RUN_IN for n in _psi_alarms(first, stream) if n > RUN_IN]
        rows.append(
            {
                "camera": seed,
                "stream": kind,
                "parts": len(runs[seed]),
                "delay": found[0][0] if found else None,
                "signal": found[0][1] if found else None,
                "psi_delay": psi[0] if psi else None,
            }
        )
    return rows


def _alarms(charts: DriftCharts, stream: list[Sample]) -> Iterator[tuple[int, str]]:
    """Number of the part, from 1, and signal of every alarm that begins."""
    for number, sample in enumerate(stream, start=1):
        for signal in sorted(charts.note(sample)):
            yield number, str(signal)


def _psi_alarms(first: list[Sample], stream: list[Sample]) -> list[int]:
    """Ends of the windows, one after another, whose population stability index is over 0.2."""
    base = np.stack([s.projections for s in first if s.projections is not None])
    seen = np.stack([s.projections for s in stream if s.projections is not None])
    edges = np.quantile(base, np.linspace(0, 1, PSI_BINS + 1)[1:-1], axis=0)
    expected = _shares(base, edges)
    ends = range(PSI_WINDOW, len(seen) + 1, PSI_WINDOW // 4)
    found, standing = [], False
    for end in ends:
        got = _shares(seen[end - PSI_WINDOW : end], edges)
        index = ((got - expected) * np.log(got / expected)).sum(axis=1).max()
        if index > PSI_LIMIT and not standing:
            found.append(end)
        standing = bool(index > PSI_LIMIT)
    return found


def _shares(values: Floats, edges: Floats) -> Floats:
    """Of each projection [r] the share in each bin, [r, bins]; half a part is added to each."""
    columns = [
        np.bincount(np.searchsorted(edges[:, r], values[:, r]), minlength=PSI_BINS) + 0.5
        for r in range(values.shape[1])
    ]
    counts = np.stack(columns)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _ratios(rows: list[Row]) -> dict[str, object]:
    steady = [row for row in rows if row["stream"] == "steady"]
    parts = sum(int(str(row["parts"])) for row in steady)
    ratios: dict[str, object] = {"undrifted parts": parts}
    for name, key in (("", "alarms"), ("psi ", "psi_alarms")):
        count = sum(int(str(row[key])) for row in steady)
        ratios[f"{name}false alarms"] = count
        ratios[f"{name}false alarms in 10,000 parts"] = count / parts * 10_000
    for kind in ("fade", "step"):
        of = [row for row in rows if row["stream"] == kind]
        for name, key in (("", "delay"), ("psi ", "psi_delay")):
            seen = [int(str(row[key])) for row in of if row[key] is not None]
            ratios[f"{kind}: {name}caught"] = len(seen) / len(of)
            ratios[f"{kind}: {name}median delay"] = float(np.median(seen)) if seen else None
            ratios[f"{kind}: {name}longest delay"] = max(seen, default=None)
    return ratios


if __name__ == "__main__":
    main()
