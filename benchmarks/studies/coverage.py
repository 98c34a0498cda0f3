"""How often the intervals of the true defect rate hold it, by simulation.

`python -m benchmarks.studies.coverage`. An audit sample: of the parts made, some are nonconforming;
a few go to people, the model calls the others, and a share of those is drawn for the audit, each on
its own. Nine of ten drawn parts are answered. The interval must hold the share of nonconforming
parts among the parts that were made. Without an audit: Rogan and Gladen's estimate from labelled
parts, whose interval must hold the rate of the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from benchmarks.studies import report
from quality.audit.estimators import truth
from quality.audit.intervals import FEW, number_nonconforming
from quality.audit.sample import Estimate, Method, Said, Stratum
from quality.intervals.prevalence import NotEstimableError, Proportion, estimate

RUNS = 2_000
RATES = (0.001, 0.005, 0.01, 0.05, 0.2)
MODELS = {"good": (0.95, 0.99), "poor": (0.8, 0.95)}  # sensitivity, specificity
PARTS, SHARES = (1_000, 5_000, 20_000, 100_000), (0.02, 0.05, 0.2)
ANSWERED = 0.9  # of the drawn parts
OPEN_BAD, OPEN_GOOD = 0.2, 0.02  # shares that the model leaves to people
DECIDED, LABELLED = (1_000, 10_000, 100_000), ((20, 50), (50, 200), (200, 1_000))
MANY = 10  # nonconforming parts expected in the audit: coverage may not be too high either
LEAST, MOST = 0.93, 0.97
METHODS = (Method.EXACT, Method.SCORE, Method.HORVITZ_THOMPSON, Method.PREDICTION_POWERED)
Counts = npt.NDArray[np.int64]
Row = dict[str, Any]


@click.command()
def main() -> None:
    """Simulate and write benchmarks/results/study_coverage.json and study_prevalence.json."""
    began = time.perf_counter()
    rows = list(_shown(_audit, product(PARTS, SHARES, RATES, MODELS)))
    settings = {
        "runs": RUNS,
        "models": MODELS,
        "answered": ANSWERED,
        "left_to_people": {"of nonconforming": OPEN_BAD, "of conforming": OPEN_GOOD},
        "few": FEW,
        "seconds": time.perf_counter() - began,
    }
    report.write("study_coverage", settings=settings, rows=rows, ratios=_ratios(rows))
    began = time.perf_counter()
    rows = list(_shown(_labels, product(DECIDED, LABELLED, RATES, MODELS)))
    settings = {"runs": RUNS, "models": MODELS, "seconds": time.perf_counter() - began}
    ratios = {
        "designs": len(rows),
        "least coverage": min(row["coverage"] for row in rows if row["coverage"] is not None),
        "designs below 93 %": sum(
            row["coverage"] is not None and row["coverage"] < LEAST for row in rows
        ),
    }
    report.write("study_prevalence", settings=settings, rows=rows, ratios=ratios)


def _shown(simulate: Callable[..., Row], designs: Iterator[tuple[Any, ...]]) -> Iterator[Row]:
    for seed, design in enumerate(designs):
        row = simulate(*design, np.random.default_rng([20261127, seed]))
        click.echo(f"{row}", err=True)
        yield row


def _audit(parts: int, share: float, rate: float, model: str, rng: np.random.Generator) -> Row:
    made, answered, drawn = _made(parts, share, rate, MODELS[model], rng)
    hits = dict.fromkeys(METHODS, 0)
    hits_of = {"coverage": 0, "escapes": 0, "overkill": 0}
    widths = 0.0
    for run in range(RUNS):
        strata = _strata(made[run], answered[run], drawn[run], share)
        people, bad = int(made[run, 4:].sum()), int(made[run, 4])
        found = truth(strata, people, bad)
        model_bad = int(made[run, 0] + made[run, 1])
        hits_of["coverage"] += _holds(found.nonconforming, model_bad + bad)
        hits_of["escapes"] += _holds(found.escapes, int(made[run, 1]))
        hits_of["overkill"] += _holds(found.overkill, int(made[run, 2]))
        widths += found.nonconforming.rate_high - found.nonconforming.rate_low
        for method in METHODS:
            hits[method] += _holds(number_nonconforming(strata, method), model_bad)
    expected = float(parts * rate * (1 - OPEN_BAD) * share * ANSWERED)
    coverage = hits_of["coverage"] / RUNS
    return {
        "parts": parts,
        "share": share,
        "rate": rate,
        "model": model,
        "expected": expected,
        **{name: count / RUNS for name, count in hits_of.items()},
        "width": widths / RUNS,
        **{method.value: count / RUNS for method, count in hits.items()},
        "met": LEAST <= coverage <= (MOST if expected >= MANY else 1),
    }


def _made(
    parts: int, share: float, rate: float, model: tuple[float, float], rng: np.random.Generator
) -> tuple[Counts, Counts, Counts]:
    """Of each run: bad called, bad passed, good called, good passed; then bad and good by people.

    Returns:
        int64 [runs, 6] made; int64 [runs, 4] answered and drawn, of the first four.
    """
    se, sp = model
    bad, good = rate * (1 - OPEN_BAD), (1 - rate) * (1 - OPEN_GOOD)
    chances = [bad * se, bad * (1 - se), good * (1 - sp), good * sp, rate * OPEN_BAD]
    made = rng.multinomial(parts, [*chances, 1 - sum(chances)], size=RUNS)
    drawn = rng.binomial(made[:, :4], share)
    return made, rng.binomial(drawn, ANSWERED), drawn


def _strata(made: Counts, answered: Counts, drawn: Counts, share: float) -> list[Stratum]:
    return [
        Stratum(
            said,
            int(made[a] + made[b]),
            share,
            int(drawn[a] + drawn[b]),
            int(answered[a] + answered[b]),
            int(answered[a]),
        )
        for said, a, b in ((Said.NONCONFORMING, 0, 2), (Said.CONFORMING, 1, 3))
    ]


def _holds(interval: Estimate | None, count: int) -> bool:
    if interval is None:
        return count == 0
    return interval.low <= count + 1e-6 and count - 1e-6 <= interval.high


def _labels(
    decided: int, labelled: tuple[int, int], rate: float, model: str, rng: np.random.Generator
) -> Row:
    (n_se, n_sp), (se, sp) = labelled, MODELS[model]
    called = rng.binomial(decided, rate * se + (1 - rate) * (1 - sp), size=RUNS)
    seen, passed = rng.binomial(n_se, se, size=RUNS), rng.binomial(n_sp, sp, size=RUNS)
    held, widths, refused = 0, 0.0, 0
    for run in range(RUNS):
        try:
            found = estimate(
                Proportion(int(called[run]), decided),
                Proportion(int(seen[run]), n_se),
                Proportion(int(passed[run]), n_sp),
            )
        except NotEstimableError:
            refused += 1
            continue
        held += found.low <= rate <= found.high
        widths += found.high - found.low
    told = RUNS - refused
    return {
        "parts": decided,
        "labelled_bad": n_se,
        "labelled_good": n_sp,
        "rate": rate,
        "model": model,
        "coverage": held / told if told else None,
        "width": widths / told if told else None,
        "refused": refused / RUNS,
    }


def _ratios(rows: Sequence[Row]) -> Row:
    many = [row["coverage"] for row in rows if row["expected"] >= MANY]
    few = [row["coverage"] for row in rows if row["expected"] < MANY]
    ratios: Row = {
        "designs": len(rows),
        "designs not met": sum(not row["met"] for row in rows),
        "least coverage, few": min(few),
        "least coverage, many": min(many),
        "greatest coverage, many": max(many),
        "least coverage of escapes": min(row["escapes"] for row in rows),
        "least coverage of overkill": min(row["overkill"] for row in rows),
    }
    for method in METHODS:
        ratios[f"{method.value}: least coverage"] = min(row[method.value] for row in rows)
        ratios[f"{method.value}: least coverage, many"] = min(
            row[method.value] for row in rows if row["expected"] >= MANY
        )
        ratios[f"{method.value}: greatest coverage, many"] = max(
            row[method.value] for row in rows if row["expected"] >= MANY
        )
    return ratios


if __name__ == "__main__":
    main()
