"""Unlike anything seen: how far a part lies from the classes that the model knows.

The distance is Mahalanobis', to the nearest class mean, under one covariance of all classes that is
shrunk towards a sphere, since there are more features than pictures. `model_store.novelty.low_rank`
says how that stays small: 5 MB of a model, whatever its features.

Lee, Lee, Lee and Shin, "A Simple Unified Framework for Detecting Out-of-Distribution Samples",
NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.fitting.training_set import training_set
from model_store.novelty.left_out import class_means, folds_left_out, one_left_out
from model_store.novelty.low_rank import beyond, shrunk_covariance
from model_store.novelty.whitened import WhitenedNovelty
from quality.arrays import Floats

Floats32 = npt.NDArray[np.float32]

_FEWEST = 3  # scores, to say anything about their spread
_LEAST = 1e-30  # a border is above 0, also where one picture came as every part
_TWINS = 1e-3  # of the median: as near as this only the same picture lies to its class
_NUMBERS = 1_200_000  # of directions and centres together: read for every batch, however small


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """How to measure a part's distance, Mahalanobis' squared, divided by d.

    With y = V (x − m) and z = V (μ − m) it is, for the nearest class mean μ,
    Σ (y − z)² / λ  +  (‖x − μ‖² − ‖y − z‖²) / ρ.

    Attributes:
        middle: float32 [d], m, of all pictures; taken off first, or float32 would not do.
        directions: float32 [r, d], V, orthonormal.
        variances: float32 [r + 1], λ in each of these directions and, last, ρ in every other.
        centres: float32 [k, d], μ − m of each class.

    Raises:
        ModelError: shapes disagree, a number is not finite, or a variance is not positive.
    """

    middle: Floats32
    directions: Floats32
    variances: Floats32
    centres: Floats32

    def __post_init__(self) -> None:
        d = self.middle.shape[0] if self.middle.ndim == 1 else 0
        rank = len(self.directions)
        right = ((d,), (rank, d), (rank + 1,), (len(self.centres), d))
        arrays = (self.middle, self.directions, self.variances, self.centres)
        if not d or rank > d or tuple(array.shape for array in arrays) != right:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ModelError(f"the novelty's arrays {shapes} do not fit each other")
        for array in arrays:
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ModelError("the novelty holds numbers that are not finite float32")
        if not (self.variances > 0).all():
            raise ModelError("the novelty holds a variance that is not positive")

    def distances(self, features: npt.ArrayLike) -> Floats:
        """float64 [n], from float [n, d]."""
        apart = np.asarray(features, np.float64) - self.middle
        within, centres = apart @ self.directions.T, self.centres @ self.directions.T
        variances = self.variances.astype(np.float64)
        found = np.full(len(apart), np.inf)
        for mean, place in zip(self.centres, centres, strict=True):
            inside = within - place
            whole = np.square(inside) @ (1 / variances[:-1])
            found = np.minimum(found, whole + beyond(apart - mean, inside) / variances[-1])
        return np.asarray(found / apart.shape[1])


AnyNovelty = Novelty | WhitenedNovelty


def most_directions(dim: int, classes: int) -> int:
    """How many directions of their own a measure may have: 5 MB of features, centres included."""
    return max(1, min(dim, _NUMBERS // dim - classes - 1))


def fit_novelty(
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    most: int | None = None,
    parts: npt.NDArray[np.int64] | None = None,
) -> tuple[Novelty, Floats]:
    """Fit on all pictures; also each one's distance had its part been left out.

    Args:
        features: float [n, d].
        labels: n class names.
        most: directions with a variance of their own; `most_directions` unless said.
        parts: int64 [n], the number of each picture's part; None: all different.

    Returns:
        The measure, and float64 [n] distances under the same measure without the picture's part;
        NaN for the only part of a class, which would lie nowhere.

    Raises:
        TrainingError: the features cannot be used.
    """
    data = training_set(features, labels, least_classes=1)
    place = np.searchsorted(np.asarray(data.classes), data.labels)
    means = class_means(data.features, place, len(data.classes))
    most = most or most_directions(data.features.shape[1], len(data.classes))
    covariance = shrunk_covariance(data.features - means[place], most)
    middle = data.features.mean(axis=0).astype(np.float32)
    fitted = Novelty(
        middle=middle,
        directions=covariance.directions.astype(np.float32),
        variances=np.append(covariance.variances, covariance.rest).astype(np.float32),
        centres=(means - middle).astype(np.float32),
    )
    if covariance.exact and (parts is None or len(np.unique(parts)) == len(parts)):
        left_out = one_left_out(data.features, place, means, covariance)
    else:
        left_out = folds_left_out(data.features, place, most, parts)
    return fitted, left_out / data.features.shape[1]


def novelty_border(left_out: Floats, rate: float) -> float:
    """The distance that a share `rate` of ordinary parts exceeds.

    The quantile of the leave-one-out distances where there are enough of them, as in conformal
    prediction; with fewer than 1/rate, the tail of a log-normal that is fitted to them. Those next
    to 0 are left out of that fit: two parts of a class with one picture would spread it far.

    Args:
        left_out: float64 [n], from `fit_novelty`; NaN is left out.
        rate: in (0, 1).

    Raises:
        ModelError: there are fewer than three distances.
    """
    known = np.sort(left_out[np.isfinite(left_out)])
    count = len(known)
    if count < _FEWEST:
        raise ModelError(f"{count} pictures do not show how far apart ordinary ones lie")
    place = int(np.ceil((1 - rate) * (count + 1)))
    if place <= count:
        return float(max(known[place - 1], _LEAST))
    usual = known[known >= _TWINS * np.median(known)]
    logs = np.log(np.maximum(usual, _LEAST))
    tail = NormalDist(float(logs.mean()), max(float(logs.std(ddof=1)), 1e-9)).inv_cdf(1 - rate)
    return float(max(np.exp(tail), known[-1]))
