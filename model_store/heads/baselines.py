"""Heads other than the seed's, each ending as one affine layer: what serves does not change.

- `logistic`: the seed's, StandardScaler and multinomial logistic regression, C = 1.
- `balanced`: with each class's pictures weighing the same in total.
- `nested`: balanced, and C chosen by cross-validation by part within the training pictures.
- `unscaled`: balanced, columns centred and divided by one number for all, so that a column's
  variance counts; C by nested cross-validation.
- `lda`: linear discriminant analysis with the covariance shrunk as Ledoit and Wolf (2004) do, over
  the pooled within-class scatter, on standardised columns.
- `fisher`: balanced, columns weighed by Fisher's ratio (`model_store.heads.fisher`) and rows of
  length 1 on average, so that one strength does for any recipe.
- `centroid`: the nearest class mean, on standardised columns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from model_store.fitting.training_set import TrainingSet, training_set
from model_store.heads.blas import one_blas_thread
from model_store.heads.fisher import column_weights, fisher_ratios
from model_store.heads.fit import MAX_ITERATIONS
from model_store.heads.head import Head
from model_store.heads.row_space import row_space
from model_store.validation.folds import Numbers
from quality.arrays import Floats

Kind = Literal["logistic", "balanced", "nested", "unscaled", "lda", "fisher", "centroid"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # C that nested cross-validation tries
# C of `fisher`, for rows of length 1; a fifth and four times as much did no better on average.
_FISHER_STRENGTH = 25.0
_INNER_FOLDS = 3
_RANDOM_STATE = 42

Layer = tuple[Floats, Floats, bool]  # weights [k, r], offsets [k], whether the fit converged


def fit_rival(
    features: npt.ArrayLike,
    labels: Sequence[str],
    kind: Kind,
    parts: Numbers | None = None,
    *,
    even_with: str | None = None,
) -> Head:
    """Fit a head of some kind on all the images.

    Args:
        features: float [n, d].
        labels: n class names.
        kind: see this module's description.
        parts: int64 [n], of each image, for what is chosen by cross-validation within and for how
            far chance moves a class's mean; None: each image is a part of its own.
        even_with: the good class, to count as much as all defects together, so that the odds of
            good are even as by `fit.even_weights`; `nested`, `fisher` and `lda` know it.

    Raises:
        TrainingError: the labels do not suffice, or the features do not fit them.
    """
    data = training_set(features, labels)
    mean, scale = data.features.mean(axis=0), _scale(data.features, kind)
    codes = np.searchsorted(np.asarray(data.classes), data.labels)
    good = _good_code(data, even_with)
    with one_blas_thread():
        rows = (data.features - mean) / scale
        counts = _counts(_Told(rows, codes, parts, len(mean), good), kind)
        rows *= counts
        space = row_space(rows)
        told = _Told(space.rows, codes, parts, len(mean), good)
        weights, offsets, converged = _FITS[kind](told)
    return Head(
        classes=data.classes,
        mean=mean,
        scale=scale,
        coef=weights @ space.basis.T * counts,
        intercept=offsets,
        centroids=np.stack([data.features[codes == k].mean(axis=0) for k in np.unique(codes)]),
        converged=converged,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a head is fitted on.

    Attributes:
        rows: float64 [n, r], standardised, in the basis of their own span.
        codes: int [n], the number of each one's class.
        parts: int64 [n] or None.
        width: how many columns there were before the rotation.
        good: the number of the good class where it counts as much as all others, or None.
    """

    rows: Floats
    codes: npt.NDArray[np.intp]
    parts: Numbers | None
    width: int
    good: int | None

    def class_shares(self) -> Floats:
        """What each class counts, [k]: alike; good, where it counts as much as all others, 0.5."""
        k = int(self.codes.max()) + 1
        if self.good is None:
            return np.full(k, 1 / k)
        shares = np.full(k, 0.5 / (k - 1))
        shares[self.good] = 0.5
        return shares

    def class_weights(self) -> dict[int, float] | str:
        """A picture's weight by class, so that the classes count as they should."""
        if self.good is None:
            return "balanced"
        weights = self.class_shares() * len(self.codes) / np.bincount(self.codes)
        return {code: float(weight) for code, weight in enumerate(weights)}

    def units(self) -> Floats:
        """How many parts each class has, [k]."""
        parts = np.arange(len(self.codes)) if self.parts is None else self.parts
        k = int(self.codes.max()) + 1
        return np.array([len(np.unique(parts[self.codes == code])) for code in range(k)], float)

    def priors(self) -> Floats:
        """The classes' shares; good's is a half where it counts as much as all others."""
        shares: Floats = np.bincount(self.codes) / len(self.codes)
        if self.good is not None:
            fine = shares[self.good]
            shares = shares * 0.5 / (1 - fine)
            shares[self.good] = 0.5
        return shares


def _good_code(data: TrainingSet, good: str | None) -> int | None:
    """The good class's number; None where it is not among several."""
    return data.classes.index(good) if good in data.classes and len(data.classes) > 1 else None


def _scale(features: Floats, kind: Kind) -> Floats:
    deviations: Floats = features.std(axis=0)
    deviations[deviations < 10 * np.finfo(np.float64).eps * np.abs(features).max(axis=0)] = 1.0
    deviations[deviations == 0] = 1.0
    if kind == "unscaled":
        return np.full_like(deviations, np.sqrt(np.mean(features.var(axis=0))) or 1.0)
    return deviations


def _counts(told: _Told, kind: Kind) -> Floats | float:
    """What each standardised column is multiplied by before the fit: 1, but for `fisher`."""
    if kind != "fisher":
        return 1.0
    ratios = fisher_ratios(told.rows, told.codes, told.units(), told.class_shares())
    return column_weights(told.rows, ratios)


def _logistic(
    rows: Floats,
    codes: npt.NDArray[np.intp],
    strength: float = 1.0,
    weight: dict[int, float] | str | None = None,
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


def _nested(told: _Told) -> Layer:
    """The strength with the least log-loss on inner folds, then a fit on all."""
    rows, codes, weight = told.rows, told.codes, told.class_weights()
    losses = np.zeros(len(STRENGTHS))
    for train, test in _inner_folds(told):
        for place, strength in enumerate(STRENGTHS):
            weights, offsets, _ = _logistic(rows[train], codes[train], strength, weight)
            logits = rows[test] @ weights.T + offsets
            top = logits.max(axis=1, keepdims=True)
            normal = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
            losses[place] += (normal - logits[np.arange(len(test)), codes[test]]).sum()
    strength = STRENGTHS[int(losses.argmin())] if losses.any() else 1.0
    return _logistic(rows, codes, strength, weight)


def _inner_folds(told: _Told) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Rows to learn from and to test, by part; none where a class has a single part."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    codes, parts = told.codes, told.parts
    units = np.arange(len(codes)) if parts is None else parts
    fewest = min(len(np.unique(units[codes == code])) for code in np.unique(codes))
    if fewest < 2:
        return
    count = min(_INNER_FOLDS, fewest)
    if len(np.unique(units)) == len(units):
        plain = StratifiedKFold(count, shuffle=True, random_state=_RANDOM_STATE)
        yield from plain.split(told.rows, codes)
        return
    grouped = StratifiedGroupKFold(count, shuffle=True, random_state=_RANDOM_STATE)
    for train, test in grouped.split(told.rows, codes, units):
        if len(np.unique(codes[train])) == len(np.unique(codes)):  # else a class cannot be learned
            yield train, test


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


def _lda(told: _Told) -> Layer:
    rows, codes, d = told.rows, told.codes, told.width
    means = _means(rows, codes)
    within = rows - means[codes]
    n = len(within)
    share, level = ledoit_wolf_share(within, d)
    covariance = (1 - share) * (within.T @ within) / n
    covariance[np.diag_indices_from(covariance)] += share * level or 1e-12
    weights = np.asarray(np.linalg.solve(covariance, means.T).T, np.float64)
    offsets: Floats = np.log(told.priors()) - 0.5 * (means * weights).sum(axis=1)
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


_FITS: dict[Kind, Callable[[_Told], Layer]] = {
    "logistic": lambda told: _logistic(told.rows, told.codes),
    "balanced": lambda told: _logistic(told.rows, told.codes, 1.0, "balanced"),
    "nested": _nested,
    "unscaled": _nested,
    "lda": _lda,
    "fisher": lambda told: _logistic(told.rows, told.codes, _FISHER_STRENGTH, told.class_weights()),
    "centroid": lambda told: _centroid(told.rows, told.codes, told.width),
}
