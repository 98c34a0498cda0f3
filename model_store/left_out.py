"""How far each picture would lie, had the measure been fitted without it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model_store.low_rank import LowRankCovariance, beyond, shrunk_covariance
from model_store.row_space import row_space
from quality.arrays import Floats

Places = npt.NDArray[np.intp]

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


def folds_left_out(features: Floats, place: Places, most: int) -> Floats:
    """Squared distances [n] under measures that were fitted without each tenth of the pictures.

    For a covariance that gives directions up: which ones depends on every picture, and no closed
    form says how. Pictures of a class with fewer than ten are left out one by one.

    Args, returns: as for `one_left_out`; `most` is `shrunk_covariance`'s.
    """
    count = int(place.max()) + 1
    # Rotated into the pictures' own span all distances stay, at the cost of n columns, not d.
    middle = features.mean(axis=0)
    rows = row_space(features - middle).rows if len(features) < features.shape[1] else features
    order = np.argsort(place, kind="stable")
    turn = np.empty(len(place), np.intp)
    turn[order] = np.arange(len(place)) - np.searchsorted(place[order], place[order])
    found = np.full(len(features), np.nan)
    for fold in range(_FOLDS):
        out = turn % _FOLDS == fold
        means = class_means(rows[~out], place[~out], count)
        covariance = shrunk_covariance(
            rows[~out] - means[place[~out]], most, columns=features.shape[1]
        )
        gone = np.isnan(means).any(axis=1)
        gaps = [covariance.squared(rows[out] - mean) for mean in means[~gone]]
        found[out] = np.min(gaps, axis=0)
    found[np.bincount(place)[place] < 2] = np.nan
    return found


def parts_left_out(features: Floats, part: Places, most: int) -> Floats:
    """Squared distances [n] to the mean of one class, under measures fitted without the own part.

    A tenth of the parts at a time, or each by itself where there are fewer than ten.

    Args:
        features: float64 [n, d].
        part: [n], which part each picture shows, numbered from 0; two or more.
        most: `shrunk_covariance`'s.
    """
    middle = features.mean(axis=0)
    rows = row_space(features - middle).rows if len(features) < features.shape[1] else features
    found = np.full(len(features), np.nan)
    for fold in range(min(_FOLDS, int(part.max()) + 1)):
        out = part % _FOLDS == fold
        mean = rows[~out].mean(axis=0)
        covariance = shrunk_covariance(rows[~out] - mean, most, columns=features.shape[1])
        found[out] = covariance.squared(rows[out] - mean)
    return found
