"""Stratified cross-validation: how good a model would be on pictures it has not seen.

A class with fewer images than folds cannot be tested fairly. Its images help to train in every
fold; the class is reported with its support and without figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.errors import TrainingError
from model_store.fit import converged, pipeline
from model_store.metrics import Metrics, metrics_of
from model_store.training_set import TrainingSet, training_set
from quality.arrays import Floats

FOLDS = 3
RANDOM_STATE = 42  # the seed's


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What the folds found.

    Attributes:
        classes: all classes, sorted; the order of every array.
        metrics: the figures.
        confusion: int64 [k, k], pictures by actual (row) and predicted class (column).
        tested: bool [n], which images were in a test fold.
        predictions: [n], what was said of each image by a model that had not seen it; "" where
            not tested.
        probabilities: float64 [n, k], likewise; NaN where not tested.
    """

    classes: tuple[str, ...]
    metrics: Metrics
    confusion: npt.NDArray[np.int64]
    tested: npt.NDArray[np.bool_]
    predictions: npt.NDArray[np.str_]
    probabilities: Floats

    @property
    def accuracy(self) -> float:
        """Share of tested images told right."""
        return self.metrics.accuracy

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the scored classes."""
        return self.metrics.macro_f1

    @property
    def weighted_f1(self) -> float:
        """Mean F1 of the scored classes, by support."""
        return self.metrics.weighted_f1

    def summary(self) -> Metrics:
        """The figures for a manifest."""
        return self.metrics

    def confusion_counts(self) -> dict[tuple[str, str], int]:
        """Pictures by (actual, predicted); pairs that never happened are left out."""
        return {
            (self.classes[row], self.classes[column]): int(self.confusion[row, column])
            for row, column in np.argwhere(self.confusion)
        }


def cross_validate(
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    folds: int = FOLDS,
    random_state: int = RANDOM_STATE,
    on_fold: Callable[[int], None] = lambda done: None,
) -> CrossValidation:
    """Judge each image by a model that has not seen it.

    Where every class has at least `folds` images, the predictions are those of scikit-learn's
    `cross_val_predict` over StratifiedKFold(folds, shuffle=True, random_state).

    Args:
        features: float [n, d].
        labels: n class names.
        folds: how many models are fitted.
        random_state: decides which image is in which fold.
        on_fold: is told how many folds are done, after each.

    Raises:
        TrainingError: no class has as many images as there are folds, or the data cannot be used.
    """
    data = training_set(features, labels)
    counts = data.counts()
    scored = [name for name in data.classes if counts[name] >= folds]
    if not scored:
        needs = ", ".join(f"{folds - count} more of {name}" for name, count in counts.items())
        raise TrainingError(f"{folds} folds need {folds} labels of a class; label {needs}")
    tested = np.isin(data.labels, scored)
    probabilities, settled = _out_of_fold(data, tested, folds, random_state, on_fold)
    best = np.nan_to_num(probabilities).argmax(axis=1)
    predictions = np.where(tested, np.asarray(data.classes)[best], "")
    confusion = _confusion(data, tested, best)
    metrics = metrics_of(confusion, data.counts(), folds=folds, converged=settled)
    return CrossValidation(data.classes, metrics, confusion, tested, predictions, probabilities)


def _out_of_fold(
    data: TrainingSet,
    tested: npt.NDArray[np.bool_],
    folds: int,
    random_state: int,
    on_fold: Callable[[int], None],
) -> tuple[Floats, bool]:
    from sklearn.model_selection import StratifiedKFold

    where, always = np.flatnonzero(tested), np.flatnonzero(~tested)
    probabilities = np.full((len(data.labels), len(data.classes)), np.nan)
    settled = True
    splitter = StratifiedKFold(folds, shuffle=True, random_state=random_state)
    splits = splitter.split(data.features[where], data.labels[where])
    for number, (train, test) in enumerate(splits, start=1):
        learn, judge = np.concatenate([where[train], always]), where[test]
        fitted: Any = pipeline().fit(data.features[learn], data.labels[learn])
        probabilities[judge] = fitted.predict_proba(data.features[judge])
        settled = settled and converged(fitted)
        on_fold(number)
    return probabilities, settled


def _confusion(
    data: TrainingSet, tested: npt.NDArray[np.bool_], best: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    k = len(data.classes)
    actual = np.searchsorted(np.asarray(data.classes), data.labels)
    cells = actual[tested] * k + best[tested]
    return np.bincount(cells, minlength=k * k).reshape(k, k).astype(np.int64)
