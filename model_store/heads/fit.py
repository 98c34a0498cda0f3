"""Fits a head: StandardScaler and multinomial logistic regression, as the seed did."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.fitting.training_set import training_set
from model_store.heads.blas import one_blas_thread
from model_store.heads.head import Head
from model_store.training_copies.copies import Copies, Lessons, lessons

log = logging.getLogger(__name__)

MAX_ITERATIONS = 2000


def pipeline(
    *,
    max_iter: int = MAX_ITERATIONS,
    C: float = 1.0,  # noqa: N803 - sklearn's name
    class_weight: dict[str, float] | None = None,
) -> Any:
    """The estimator that training and cross-validation share."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(max_iter=max_iter, C=C, class_weight=class_weight)
    return Pipeline([("scaler", StandardScaler()), ("regression", regression)])


def even_weights(labels: Iterable[str], good: str | None) -> dict[str, float] | None:
    """Weights of classes with which good counts as much as all defects together.

    Labels come from where people look, so their share of good parts says nothing of the line's, and
    swings as reviewed parts are labelled. Under these weights the odds of good are even whatever
    the share. Defects keep their shares of each other. Where good or a defect is missing: None.
    """
    counts = Counter(labels)
    fine, every = counts[good] if good is not None else 0, counts.total()
    if fine in (0, every):
        return None
    rest = every / (2 * (every - fine))
    return {name: every / (2 * fine) if name == good else rest for name in counts}


def fit_lessons(estimator: Any, known: Lessons) -> Any:
    """Fit a `pipeline` on pictures and their copies."""
    weights = known.weighing("scaler", "regression")
    return estimator.fit(known.features, known.labels, **weights)


def converged(fitted: Any) -> bool:
    """Whether a fitted pipeline ended before its limit of iterations."""
    regression = fitted["regression"]
    return int(np.max(regression.n_iter_)) < int(regression.max_iter)


def fit_head(
    features: npt.ArrayLike,
    labels: Sequence[str],
    parts: npt.NDArray[np.int64] | None = None,
    *,
    max_iter: int = MAX_ITERATIONS,
    C: float = 1.0,  # noqa: N803 - sklearn's name
    even_with: str | None = None,
    copies: Copies | None = None,
) -> Head:
    """Fit on all the images.

    Args:
        features: float [n, d].
        labels: n class names.
        parts: int64 [n], of each image; this fit is the same whatever they are.
        max_iter: where the optimiser gives up; the head then says `converged=False`.
        C: inverse strength of the L2 penalty.
        even_with: the good class, to count as much as all defects together; see `even_weights`.
        copies: of the images, to learn from too.

    Raises:
        TrainingError: the labels do not suffice, or the features do not fit them.
    """
    data = training_set(features, labels)
    weights = even_weights(labels, even_with)
    with one_blas_thread():
        estimator = pipeline(max_iter=max_iter, C=C, class_weight=weights)
        fitted = fit_lessons(estimator, lessons(data.features, data.labels, copies))
    if not converged(fitted):
        log.warning("the regression had not converged after %d iterations", max_iter)
    scaler, regression = fitted["scaler"], fitted["regression"]
    coef, intercept = _row_a_class(regression.coef_, regression.intercept_)
    rows = [data.features[data.labels == name].mean(axis=0) for name in data.classes]
    return Head(
        classes=data.classes,
        mean=np.array(scaler.mean_),
        scale=np.array(scaler.scale_),
        coef=coef,
        intercept=intercept,
        centroids=np.stack(rows),
        converged=converged(fitted),
    )


def _row_a_class(
    coef: npt.NDArray[np.float64], intercept: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of two classes scikit-learn keeps only the second's row: sigmoid(z) = softmax(0, z)."""
    if len(coef) > 1:
        return np.array(coef), np.array(intercept)
    return np.vstack([np.zeros_like(coef), coef]), np.concatenate([[0.0], intercept])
