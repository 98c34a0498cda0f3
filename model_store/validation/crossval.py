"""Stratified cross-validation by part: how good a model would be on parts it has not seen.

A class with fewer parts than folds cannot be tested fairly. Its images help to train in every
fold; the class is reported with its support and without figures.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.errors import TrainingError
from model_store.fitting.training_set import TrainingSet, training_set
from model_store.heads.blas import one_blas_thread
from model_store.heads.fit import converged, even_weights, fit_lessons, pipeline
from model_store.heads.head import probabilities as of_head
from model_store.training_copies.copies import Copies, given, lessons
from model_store.validation.folds import (
    UNTESTED,
    Bools,
    Fit,
    Folds,
    Numbers,
    assign_folds,
    learned_from,
    part_numbers,
    parts_a_class,
)
from model_store.validation.metrics import Metrics, metrics_of
from quality.arrays import Floats

FOLDS = 3
RANDOM_STATE = 42  # the seed's

Rows = npt.NDArray[np.intp]
Judged = tuple[Sequence[str], Floats, bool]  # classes, probabilities, whether the fit converged


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
        parts: int64 [n], the number of each image's part; all different where none was named.
        part_counts: parts that show each class, tested or not.
    """

    classes: tuple[str, ...]
    metrics: Metrics
    confusion: npt.NDArray[np.int64]
    tested: npt.NDArray[np.bool_]
    predictions: npt.NDArray[np.str_]
    probabilities: Floats
    parts: Numbers
    part_counts: dict[str, int]

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
    groups: Sequence[Hashable] | None = None,
    even_with: str | None = None,
    fit: Fit | None = None,
    copies: Copies | None = None,
    on_fold: Callable[[int], None] = lambda done: None,
) -> CrossValidation:
    """Judge each image by a model that has not seen its part.

    Where every class has at least `folds` images, each of a part of its own, the predictions are
    those of scikit-learn's `cross_val_predict` over StratifiedKFold(folds, shuffle=True,
    random_state); parts with several images are kept together, see `model_store.validation.folds`.

    Args:
        features: float [n, d].
        labels: n class names.
        folds: how many models are fitted.
        random_state: decides which part is in which fold.
        groups: names the part of each image; None: each is a part of its own.
        even_with: the good class, if it counts as much as all defects; see `fit.even_weights`.
        fit: fits the head of a fold; None: the seed's.
        copies: of the images, learned from with them and never judged.
        on_fold: is told how many folds are done, after each.

    Raises:
        TrainingError: no class has as many parts as there are folds, or the data cannot be used.
    """
    data = training_set(features, labels)
    parts = part_numbers(groups, len(labels))
    assigned = assign_folds(labels, folds, random_state, groups)
    tested = assigned != UNTESTED
    shown = parts_a_class(labels, parts)
    if not tested.any():
        raise TrainingError(_too_few(shown, folds, groups is not None))
    judge = partial(_by_fit, fit=fit) if fit else partial(_by_pipeline, even_with=even_with)
    probabilities, settled = _out_of_fold(data, assigned, parts, copies, judge, on_fold)
    best = np.nan_to_num(probabilities).argmax(axis=1)
    predictions = np.where(tested, np.asarray(data.classes)[best], "")
    confusion = _confusion(data, tested, best)
    metrics = metrics_of(confusion, data.counts(), folds=folds, converged=settled)
    return CrossValidation(
        data.classes, metrics, confusion, tested, predictions, probabilities, parts, shown
    )


def _too_few(parts: Mapping[str, int], folds: int, grouped: bool) -> str:
    unit = "parts" if grouped else "labels"
    needs = ", ".join(f"{folds - count} more of {name}" for name, count in parts.items())
    return f"{folds} folds need {folds} {unit} of a class; label {needs}"


def _out_of_fold(
    data: TrainingSet,
    assigned: Folds,
    parts: Numbers,
    copies: Copies | None,
    judge: Callable[..., Judged],
    on_fold: Callable[[int], None],
) -> tuple[Floats, bool]:
    probabilities = np.full((len(data.labels), len(data.classes)), np.nan)
    settled = True
    for number in range(int(assigned.max()) + 1):
        learned, judged = learned_from(assigned, number, parts), assigned == number
        # Tested pictures first: the order decides the last digits of a fit.
        rows = np.flatnonzero(learned)
        learn = rows[np.argsort(assigned[rows] == UNTESTED, kind="stable")]
        _refuse_one_class(data.labels[learn])
        mine = None if copies is None else copies.of_rows(learn)
        classes, found, done = judge(data, learn, judged, parts, mine)
        shares = np.zeros((int(judged.sum()), len(data.classes)))
        shares[:, np.searchsorted(np.asarray(data.classes), classes)] = found
        probabilities[judged] = shares
        settled = settled and done
        on_fold(number + 1)
    return probabilities, settled


def _refuse_one_class(names: npt.NDArray[np.str_]) -> None:
    """Parts that show several classes may leave a fold's model a single one to learn."""
    left = sorted(set(names.tolist()))
    if len(left) < 2:
        raise TrainingError(
            f"without the parts of one fold only {', '.join(left) or 'nothing'} is left to learn "
            "from, since parts that show several classes are kept together; label more parts of "
            "the other classes"
        )


def _by_pipeline(
    data: TrainingSet,
    learn: Rows,
    judged: Bools,
    parts: Numbers,
    copies: Copies | None,
    *,
    even_with: str | None,
) -> Judged:
    """By scikit-learn alone, as the seed did it: to the last digit."""
    with one_blas_thread():
        estimator = pipeline(class_weight=even_weights(data.labels[learn].tolist(), even_with))
        known = lessons(data.features[learn], data.labels[learn], copies)
        fitted: Any = fit_lessons(estimator, known)
    return fitted.classes_, fitted.predict_proba(data.features[judged]), converged(fitted)


def _by_fit(
    data: TrainingSet,
    learn: Rows,
    judged: Bools,
    parts: Numbers,
    copies: Copies | None,
    *,
    fit: Fit,
) -> Judged:
    names = data.labels[learn].tolist()
    head = fit(data.features[learn], names, parts[learn], **given(copies))
    return head.classes, of_head(head, data.features[judged]), head.converged


def _confusion(
    data: TrainingSet, tested: npt.NDArray[np.bool_], best: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    k = len(data.classes)
    actual = np.searchsorted(np.asarray(data.classes), data.labels)
    cells = actual[tested] * k + best[tested]
    return np.bincount(cells, minlength=k * k).reshape(k, k).astype(np.int64)
