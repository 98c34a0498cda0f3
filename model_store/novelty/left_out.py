"""How far each picture would lie, had the measure been fitted without its part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model_store.heads.row_space import row_space
from model_store.novelty.low_rank import LowRankCovariance, beyond, shrunk_covariance
from quality.arrays import Floats

Places = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.int64]

_FOLDS = 10


def class_means(features: Floats, place: Places, count: int) -> Floats:
    """float64 [k, d]; NaN for a class without pictures."""
    means = np.full((count, features.shape[1]), np.nan)
    for c in np.unique(place):
        means[c] = features[place == c].mean(axis=0)
    return means


def one_left_out(
    features: Floats, place: Places, means: Floats, covariance: LowRankCovariance
) -> Floats:
    """Squared distances [n] to the nearest class as it is without the picture, in closed form.

    Taking picture i out of its class of m takes m/(m−1) · r rᵀ from the scatter, r being its
    distance from the mean, and moves the mean by r/(m−1). With the shrinkage held, Sherman and
    Morrison's formula gives the distances under the new covariance.

    Args:
        features: float64 [n, d].
        place: [n], the class of each.
        means: float64 [k, d].
        covariance: exact; its directions then span the residuals.

    Returns:
        float64 [n]; NaN for the only picture of a class, which would lie nowhere.
    """
    n = len(features)
    sizes = np.bincount(place).astype(np.float64)[place]
    grow = np.where(sizes > 1, sizes / np.maximum(sizes - 1, 1), 0.0)
    within, inverse = features @ covariance.directions.T, 1 / covariance.variances
    centres = means @ covariance.directions.T
    own = within - centres[place]
    c = (1 - covariance.shrinkage) * grow / n  # the scatter is divided by n here and there
    away = np.maximum(1 - c * (np.square(own) @ inverse), 1e-9)
    nearest = np.full(n, np.inf)
    for number, mean in enumerate(means):  # one class at a time: n × k × d would not fit
        gap, inside = features - mean, within - centres[number]
        gap[place == number] *= grow[place == number, None]
        inside[place == number] *= grow[place == number, None]
        along = (inside * own) @ inverse
        whole = np.square(inside) @ inverse + beyond(gap, inside) / covariance.rest
        nearest = np.minimum(nearest, whole + c / away * along**2)
    nearest[sizes < 2] = np.nan
    return nearest


def folds_left_out(
    features: Floats, place: Places, most: int, parts: Numbers | None = None
) -> Floats:
    """Squared distances [n] under measures that were fitted without each tenth of the parts.

    For a covariance that gives directions up: which ones depends on every picture, and no closed
    form says how; and for parts of several pictures, which no closed form leaves out together.
    Parts of a class with fewer than ten are left out one by one.

    Args, returns: as for `one_left_out`, NaN for a class's only part. `most` is
        `shrunk_covariance`'s; `parts` int64 [n] numbers each picture's part, None: all different.
    """
    count = int(place.max()) + 1
    shown = np.arange(len(place)) if parts is None else parts
    # Rotated into the pictures' own span all distances stay, at the cost of n columns, not d.
    middle = features.mean(axis=0)
    rows = row_space(features - middle).rows if len(features) < features.shape[1] else features
    turn = _turns(place, shown)
    found = np.full(len(features), np.nan)
    for fold in range(_FOLDS):
        out = turn % _FOLDS == fold
        if out.all() or not out.any():
            continue
        means = class_means(rows[~out], place[~out], count)
        covariance = shrunk_covariance(
            rows[~out] - means[place[~out]], most, columns=features.shape[1]
        )
        gone = np.asarray(np.isnan(means).any(axis=1))
        gaps = [covariance.squared(rows[out] - mean) for mean in means[~gone]]
        found[out] = np.where(gone[place[out]], np.nan, np.min(gaps, axis=0))
    return found


def _turns(place: Places, parts: Numbers) -> Places:
    """When each picture's part is left out: the parts of a class, its first picture's, in turns."""
    _, first, number = np.unique(parts, return_index=True, return_inverse=True)
    kind = place[first]
    order = np.lexsort((first, kind))
    turn = np.empty(len(first), np.intp)
    turn[order] = np.arange(len(first)) - np.searchsorted(kind[order], kind[order])
    mine: Places = turn[number]
    return mine
