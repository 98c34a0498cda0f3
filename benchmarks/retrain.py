"""How long 3-fold cross-validation, the final fit and the gate take for 10,000 labelled pictures.

    python -m benchmarks.retrain [--out benchmarks/results/retrain.json]

The features are made up: 9 classes in 1,792 dimensions, as many as the default recipe has by the
compact encoders. They overlap so much that about a fifth of the pictures is told wrong, since
classes that lie apart are fitted in a few iterations. Wall-clock time depends on what else the
machine does; the CPU time is what the work itself costs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from benchmarks.report import RESULTS, document, write
from model_store.gate.figures import Opinion, compare
from model_store.heads.fit import fit_head
from model_store.validation.crossval import cross_validate
from model_store.validation.folds import assign_folds, out_of_fold
from producer.contract import Verdict

PICTURES, DIM, CLASSES = 10_000, 1_792, 9
LIMIT_S = 60.0


def data(pictures: int, dim: int) -> tuple[np.ndarray, list[str]]:
    """Features such as workers store (float16, length 1), and a class for each."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, CLASSES, pictures)
    inner = 0.33 * rng.normal(size=(CLASSES, 64))[label] + rng.normal(size=(pictures, 64))
    features = inner @ rng.normal(size=(64, dim)) / 8 + 0.5 * rng.normal(size=(pictures, dim))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype("<f2").astype(np.float64), [f"class-{i}" for i in label]


def timed(step: str, action: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
    """A row: wall-clock and CPU seconds of a step."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = action()
    row = {
        "step": step,
        "wall_s": round(time.perf_counter() - wall, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
    }
    print(row)
    return row, result


def measure(pictures: int = PICTURES, dim: int = DIM) -> list[dict[str, Any]]:
    """Every step of a retraining that computes."""
    features, labels = data(pictures, dim)
    first, validation = timed("3-fold cross-validation", lambda: cross_validate(features, labels))
    first |= {
        "accuracy": round(validation.accuracy, 4),
        "converged": validation.metrics.converged,
    }
    fit, _ = timed("fit on all labels", lambda: fit_head(features, labels))
    folds = assign_folds(labels, 3, 42)
    refit, shares = timed(
        "champion fitted again for the gate",
        lambda: out_of_fold(fit_head, features, labels, folds, validation.classes),
    )
    refit["largest_difference_to_cross_validation"] = float(
        np.abs(shares - validation.probabilities).max()
    )
    choices = validation.predictions.tolist()
    opinion = Opinion(choices, [Verdict.DEFECT] * len(choices))
    paired, _ = timed(
        "paired test and bootstrap", lambda: compare(labels, opinion, opinion, good_class=None)
    )
    return [first, fit, refit, paired]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS / "retrain.json")
    out: Path = parser.parse_args().out
    load_before = os.getloadavg()[0]
    rows = measure()
    settings = {
        "pictures": PICTURES,
        "dimensions": DIM,
        "classes": CLASSES,
        "folds": 3,
        "blas_threads": os.environ.get("OMP_NUM_THREADS", "one a core"),
        "scikit_learn": sklearn.__version__,
        "load_average_before": load_before,
    }
    ratios = {
        "cross_validation_of_limit": rows[0]["wall_s"] / LIMIT_S,
        "cross_validation_cpu_of_limit": rows[0]["cpu_s"] / LIMIT_S,
    }
    write(document("retrain", settings=settings, rows=rows, ratios=ratios), out)


if __name__ == "__main__":
    main()
