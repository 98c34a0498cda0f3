"""Heads other than the seed's, each ending as one affine layer: what serves does not change.

- `logistic`: the seed's, StandardScaler and multinomial logistic regression, C = 1.
- `balanced`: with each class's pictures weighing the same in total.
- `nested`: balanced, and C chosen by cross-validation within the training pictures.
- `unscaled`: balanced, columns centred and divided by one number for all, so that a column's
  variance counts; C by nested cross-validation.
- `lda`: linear discriminant analysis with the covariance shrunk as Ledoit and Wolf (2004) do, over
  the pooled within-class scatter, on standardised columns.
- `centroid`: the nearest class mean, on standardised columns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from model_store.blas import one_blas_thread
from model_store.fit import MAX_ITERATIONS
from model_store.head import Head
from model_store.row_space import row_space
from model_store.training_set import training_set
from quality.arrays import Floats

Kind = Literal["logistic", "balanced", "nested", "unscaled", "lda", "centroid"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # C that nested cross-validation tries
_INNER_FOLDS = 3
_RANDOM_STATE = 42

Layer = tuple[Floats, Floats, bool]  # weights [k, r], offsets [k], whether the fit converged


def fit_rival(features: npt.ArrayLike, labels: Sequence[str], kind: Kind) -> Head:
    """Fit a head of some kind on all the images.

    Args:
        features: float [n, d].
        labels: n class names.
        kind: see this module's description.

    Raises:
        TrainingError: the labels do not suffice, or the features do not fit them.
    """
    data = training_set(features, labels)
    mean, scale = data.features.mean(axis=0), _scale(data.features, kind)
    codes = np.searchsorted(np.asarray(data.classes), data.labels)
    with one_blas_thread():
        space = row_space((data.features - mean) / scale)
        weights, offsets, converged = _FITS[kind](space.rows, codes, len(mean))
    return Head(
        classes=data.classes,
        mean=mean,
        scale=scale,
        coef=weights @ space.basis.T,
        intercept=offsets,
        centroids=np.stack([data.features[codes == k].mean(axis=0) for k in np.unique(codes)]),
        converged=converged,
    )


def _scale(features: Floats, kind: Kind) -> Floats:
    deviations: Floats = features.std(axis=0)
    deviations[deviations < 10 * np.finfo(np.float64).eps * np.abs(features).max(axis=0)] = 1.0
    deviations[deviations == 0] = 1.0
    if kind == "unscaled":
        return np.full_like(deviations, np.sqrt(np.mean(features.var(axis=0))) or 1.0)
    return deviations


def _logistic(
    rows: Floats, codes: npt.NDArray[np.intp], strength: float = 1.0, weight: str | None = None
) -> Layer:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the head says so
        fitted: Any = LogisticRegression(
            C=strength, class_weight=weight, max_iter=MAX_ITERATIONS
        ).fit(rows, codes)
    done = int(np.max(fitted.n_iter_)) < MAX_ITERATIONS
    weights, offsets = np.asarray(fitted.coef_), np.asarray(fitted.intercept_)
    if len(weights) == 1:  # of two classes scikit-learn keeps the second's row
        weights = np.vstack([np.zeros_like(weights), weights])
        offsets = np.concatenate([[0.0], offsets])
    return weights, offsets, done


def _nested(rows: Floats, codes: npt.NDArray[np.intp]) -> Layer:
    """The strength with the least log-loss on inner folds, then a fit on all."""
    from sklearn.model_selection import StratifiedKFold

    fewest = int(np.bincount(codes).min())
    if fewest < 2:
        return _logistic(rows, codes, 1.0, "balanced")
    folds = StratifiedKFold(min(_INNER_FOLDS, fewest), shuffle=True, random_state=_RANDOM_STATE)
    losses = np.zeros(len(STRENGTHS))
    for train, test in folds.split(rows, codes):
        for place, strength in enumerate(STRENGTHS):
            weights, offsets, _ = _logistic(rows[train], codes[train], strength, "balanced")
            logits = rows[test] @ weights.T + offsets
            top = logits.max(axis=1, keepdims=True)
            normal = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
            losses[place] += (normal - logits[np.arange(len(test)), codes[test]]).sum()
    return _logistic(rows, codes, STRENGTHS[int(losses.argmin())], "balanced")


def _means(rows: Floats, codes: npt.NDArray[np.intp]) -> Floats:
    return np.stack([rows[codes == k].mean(axis=0) for k in range(codes.max() + 1)])


def _centroid(rows: Floats, codes: npt.NDArray[np.intp], d: int) -> Layer:
    """Logits −|x − m|² / (2 v), v the within-class variance of a column, less what all share."""
    means = _means(rows, codes)
    variance = float(((rows - means[codes]) ** 2).sum()) / (len(rows) * d) or 1.0
    # All d columns would count each picture's noise d times over: probabilities of 0 and 1.
    weights = np.asarray(means / (variance * d**0.5), np.float64)
    offsets: Floats = -0.5 * (means * weights).sum(axis=1)
    return weights, offsets, True


def _lda(rows: Floats, codes: npt.NDArray[np.intp], d: int) -> Layer:
    means = _means(rows, codes)
    within = rows - means[codes]
    n = len(within)
    share, level = ledoit_wolf_share(within, d)
    covariance = (1 - share) * (within.T @ within) / n
    covariance[np.diag_indices_from(covariance)] += share * level or 1e-12
    weights = np.asarray(np.linalg.solve(covariance, means.T).T, np.float64)
    priors = np.bincount(codes) / n
    offsets: Floats = np.log(priors) - 0.5 * (means * weights).sum(axis=1)
    return weights, offsets, True


def ledoit_wolf_share(centred: Floats, d: int) -> tuple[float, float]:
    """How far to shrink a covariance towards μ·I, and μ, from the rows alone.

    Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004).
    Every sum in it depends on inner products of rows only, so a rotation changes nothing; `d` is
    how many columns there were before it.
    """
    n = len(centred)
    gram = centred @ centred.T
    lengths = np.diag(gram)
    level = float(lengths.sum()) / (n * d)
    squared = float((gram**2).sum()) / n**2  # the sum of the covariance's squared entries
    beta = (float((lengths**2).sum()) / n - squared) / (d * n)
    delta = (squared - d * level**2) / d
    return (min(beta, delta) / delta if delta > 0 else 1.0), level


_FITS: dict[Kind, Callable[[Floats, npt.NDArray[np.intp], int], Layer]] = {
    "logistic": lambda rows, codes, d: _logistic(rows, codes),
    "balanced": lambda rows, codes, d: _logistic(rows, codes, 1.0, "balanced"),
    "nested": lambda rows, codes, d: _nested(rows, codes),
    "unscaled": lambda rows, codes, d: _nested(rows, codes),
    "lda": _lda,
    "centroid": _centroid,
}
