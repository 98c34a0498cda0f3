"""Fits a head: StandardScaler and multinomial logistic regression, as the seed did."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.blas import one_blas_thread
from model_store.head import Head
from model_store.training_set import training_set

log = logging.getLogger(__name__)

MAX_ITERATIONS = 2000


def pipeline(*, max_iter: int = MAX_ITERATIONS, C: float = 1.0) -> Any:  # noqa: N803 - sklearn's name
    """The estimator that training and cross-validation share."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(max_iter=max_iter, C=C)
    return Pipeline([("scaler", StandardScaler()), ("regression", regression)])


def converged(fitted: Any) -> bool:
    """Whether a fitted pipeline ended before its limit of iterations."""
    regression = fitted["regression"]
    return int(np.max(regression.n_iter_)) < int(regression.max_iter)


def fit_head(
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    max_iter: int = MAX_ITERATIONS,
    C: float = 1.0,  # noqa: N803 - sklearn's name
) -> Head:
    """Fit on all the images.

    Args:
        features: float [n, d].
        labels: n class names.
        max_iter: where the optimiser gives up; the head then says `converged=False`.
        C: inverse strength of the L2 penalty.

    Raises:
        TrainingError: the labels do not suffice, or the features do not fit them.
    """
    data = training_set(features, labels)
    with one_blas_thread():
        fitted = pipeline(max_iter=max_iter, C=C).fit(data.features, data.labels)
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
