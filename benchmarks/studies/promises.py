"""Do promises hold on parts that nobody labelled, and how many parts do they leave to people?

`python -m benchmarks.studies.promises --set FILE.npz LABELS …`. A file holds `features` [n, d] and
`labels` [n] of a set of pictures, each of a part of its own; a class called `good` passes. Of each
class LABELS pictures are labelled, the model is made of them as `linewatch train` makes it, and the
rest is judged. Escapes on the rest are weighted to the labels' mix of defects, which is what the
promise is about. Without files only scores of two normal distributions are simulated, where the
true escape rate is known.

The fit is rotated to the labelled pictures' span, which has the same minimum and costs a fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.studies import report
from model_store.heads.fit import even_weights
from model_store.heads.row_space import row_space
from model_store.promise.promise import Promise, choose_threshold
from model_store.promise.promised import promise_of
from model_store.promise.scored_parts import log_odds_of
from model_store.validation.folds import assign_folds
from model_store.verdicts.calibration import Ints, calibrate, cross_fitted, tempered
from model_store.verdicts.policy import Policy
from model_store.verdicts.verdict import Thresholds
from quality.arrays import Floats

LABELS = {
    "few": 10,
    "some": 30,
    "many": 180,
}  # of each class; of the good one as many as can be had
POLICY = Policy(escape_target=0.01)
ENOUGH = 0.7  # of a class, at most: the rest has to show what is true
DEFECTS, DISTANCES = (20, 60, 299, 1_000), (2.0, 3.0, 5.0)  # simulated
GOOD, SIMULATIONS, FOLDS = 200, 2_000, 3
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """float64 [n, d] features and int64 [n] codes of classes, and which code is good."""

    name: str
    features: Floats
    codes: Ints
    classes: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Pictures:
        """From a file of features."""
        with np.load(path) as held:
            names = held["labels"].astype(str)
            classes = tuple(sorted(set(names.tolist())))
            codes = np.searchsorted(np.asarray(classes), names)
            name = path.stem.removeprefix("sets-")
            return cls(name, held["features"].astype(np.float64), codes, classes)

    @property
    def good(self) -> int | None:
        """The code of the class that passes."""
        return self.classes.index("good") if "good" in self.classes else None


@click.command()
@click.option(
    "--set",
    "sets",
    type=(click.Path(exists=True, path_type=Path), click.IntRange(FOLDS)),
    multiple=True,
    help="Features of a set, and how many labels of each class; give it again for more.",
)
@click.option("--draws", default=200, show_default=True)
@click.option("--processes", default=2, show_default=True)
def main(sets: Sequence[tuple[Path, int]], draws: int, processes: int) -> None:
    """Measure and write benchmarks/results/study_promises.json."""
    rows = [_simulated(*design) for design in product(DEFECTS, DISTANCES)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for path, count in sets:
            draw = partial(_draw, path, count)
            runs = list(pool.map(draw, range(draws), chunksize=max(1, draws // (4 * processes))))
            rows.append(_summary(path.stem.removeprefix("sets-"), count, runs))
            click.echo(f"{rows[-1]}", err=True)
            _write(rows, draws)
    _write(rows, draws)


def _write(rows: Sequence[Row], draws: int) -> None:
    settings = {
        "draws": draws,
        "simulations": SIMULATIONS,
        "labelled_share_at_most": ENOUGH,
        "policy": repr(POLICY),
    }
    real = [row["kept"] for row in rows if row["pictures"] != "simulated"]
    ratios = {
        "least kept, simulated": min(row["kept"] for row in rows if row["pictures"] == "simulated"),
        **({"least kept, pictures": min(real)} if real else {}),
    }
    report.write("study_promises", settings=settings, rows=rows, ratios=ratios)


def _simulated(defects: int, distance: float) -> Row:
    """Scores of good parts N(distance, 1), of defects N(0, 1)."""
    rng = np.random.default_rng([20261127, defects, int(10 * distance)])
    defect = np.arange(GOOD + defects) >= GOOD
    runs = []
    for _ in range(SIMULATIONS):
        score = rng.normal(np.where(defect, 0.0, distance))
        found = choose_threshold(score, defect, None, target=0.01, confidence=0.95)
        runs.append((1 - NormalDist().cdf(found.threshold), found))
    return {
        "pictures": "simulated",
        "labels": f"{defects} defects, good {distance:g} away",
        "defects": defects,
        **_kept([(escapes, one.upper_bound) for escapes, one in runs]),
        "proven": float(np.mean([one.proven for _, one in runs])),
        "alone": float(np.mean([one.alone for _, one in runs])),
    }


_read = lru_cache(maxsize=1)(Pictures.read)


def _draw(path: Path, count: int, seed: int) -> Row:
    """Label some, make the model and its promise, judge the rest."""
    pictures = _read(path)
    chosen = _labelled(pictures, count, seed)
    x, y, good = pictures.features[chosen], pictures.codes[chosen], pictures.good
    folds = assign_folds([str(code) for code in y.tolist()], FOLDS, seed)
    raw = np.empty((len(y), len(pictures.classes)))
    for fold in range(FOLDS):
        raw[folds == fold] = _fitted(x[folds != fold], y[folds != fold], good, x[folds == fold])
    parts = np.arange(len(y))
    weights = _weights(y, good)
    found = calibrate(raw, y, parts, weights)
    scores = raw if found.temperature == 1 else cross_fitted(raw, y, parts, weights)
    prior = None if good is None else 0.0
    promise = promise_of(
        scores, y, pictures.classes, good, parts, prior, others=Thresholds(), policy=POLICY
    )
    assert promise is not None
    rest = tempered(_fitted(x, y, good, pictures.features[~chosen]), found.temperature)
    return _figures(promise, rest, pictures.codes[~chosen], good)


def _labelled(pictures: Pictures, count: int, seed: int) -> NDArray[np.bool_]:
    rng, chosen = np.random.default_rng(seed), np.zeros(len(pictures.codes), bool)
    for code in range(len(pictures.classes)):
        rows = rng.permutation(np.flatnonzero(pictures.codes == code))
        chosen[rows[: min(count, int(ENOUGH * len(rows)))]] = True
    return chosen


def _fitted(x: Floats, y: Ints, good: int | None, asked: Floats) -> Floats:
    """What the model of `model_store.heads.fit`, fitted on x and y, says of `asked`."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1
    space = row_space((x - mean) / scale)
    by_name = even_weights([str(code) for code in y.tolist()], None if good is None else str(good))
    weight = {int(code): value for code, value in by_name.items()} if by_name else None
    fitted = LogisticRegression(max_iter=2000, class_weight=weight).fit(space.rows, y)
    return np.asarray(fitted.predict_proba(((asked - mean) / scale) @ space.basis))


def _weights(y: Ints, good: int | None) -> Floats | None:
    if good is None:
        return None
    fine = y == good
    return np.asarray(np.where(fine, len(y) / (2 * fine.sum()), len(y) / (2 * (~fine).sum())))


def _figures(promise: Promise, rest: Floats, actual: Ints, good: int | None) -> Row:
    first = rest.argmax(axis=1)
    if good is None:
        sure = (rest.max(axis=1) >= POLICY.review_below) & (
            log_odds_of(rest, first) >= promise.threshold
        )
        risk, alone = _mixed(first != actual, sure, actual), _mixed(sure, sure | True, actual)
        return {"promise": promise, "risk": risk, "alone": alone, "judged": alone}
    passes = (log_odds_of(rest, good) >= promise.threshold) & (first == good)
    passes &= rest[:, good] >= POLICY.review_below
    bad, judged = actual != good, passes | ((first != good) & (rest.max(axis=1) >= 0.5))
    return {
        "promise": promise,
        "risk": _mixed(passes, bad, actual),
        "alone": float(passes[~bad].mean()),
        "judged": float(judged[~bad].mean()),
        "overkill": float((judged & (first != good))[~bad].mean()),
    }


def _mixed(flag: NDArray[np.bool_], among: NDArray[np.bool_], actual: Ints) -> float:
    """The share of `among` that has the flag, each class weighing alike, as among the labels."""
    hits = [np.mean((flag & among)[actual == code]) for code in np.unique(actual[among])]
    every = [np.mean(among[actual == code]) for code in np.unique(actual[among])]
    return float(np.sum(hits) / np.sum(every)) if every else 0.0


def _summary(name: str, count: int, runs: Sequence[Row]) -> Row:
    promises = [run["promise"] for run in runs]
    overkill = [run["overkill"] for run in runs if "overkill" in run]
    return {
        "pictures": name,
        "labels": f"{count} a class",
        "defects": promises[0].counted if promises[0].risk == "escapes" else None,
        **_kept([(run["risk"], run["promise"].upper_bound) for run in runs]),
        "proven": float(np.mean([one.proven for one in promises])),
        "alone": float(np.mean([run["alone"] for run in runs])),
        "alone_low": float(np.quantile([run["alone"] for run in runs], 0.1)),
        "alone_high": float(np.quantile([run["alone"] for run in runs], 0.9)),
        "overkill": float(np.mean(overkill)) if overkill else None,
    }


def _kept(pairs: Sequence[tuple[float, float]]) -> Row:
    """How often the risk was within its bound, and both on average."""
    risk, bound = np.array(pairs).T
    return {
        "kept": float((risk <= bound).mean()),
        "risk": float(risk.mean()),
        "risk_high": float(np.quantile(risk, 0.95)),
        "bound": float(bound.mean()),
    }


if __name__ == "__main__":
    main()
