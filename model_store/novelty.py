"""Unlike anything seen: how far a part lies from the classes that the model knows.

The distance is Mahalanobis', to the nearest class mean, under one covariance of all classes that is
shrunk towards a sphere, since there are more features than pictures.

Lee, Lee, Lee and Shin, "A Simple Unified Framework for Detecting Out-of-Distribution Samples",
NeurIPS 2018; Ledoit and Wolf, "A Well-Conditioned Estimator for Large-Dimensional Covariance
Matrices", Journal of Multivariate Analysis 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.head import Floats
from model_store.training_set import TrainingSet, training_set

Floats32 = npt.NDArray[np.float32]

_FEWEST = 3  # scores, to say anything about their spread


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """How to measure a part's distance: ‖W x − W μ‖² for the nearest class mean μ, divided by d.

    Attributes:
        whitening: float32 [d, d], W; its square is the inverse covariance.
        centres: float32 [k, d], W μ of each class.

    Raises:
        ModelError: shapes disagree, or a number is not finite.
    """

    whitening: Floats32
    centres: Floats32

    def __post_init__(self) -> None:
        d = self.whitening.shape[0] if self.whitening.ndim == 2 else 0
        if not d or self.whitening.shape != (d, d) or self.centres.shape[1:] != (d,):
            raise ModelError(
                f"the novelty's whitening {self.whitening.shape} and centres "
                f"{self.centres.shape} do not fit each other"
            )
        for array in (self.whitening, self.centres):
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ModelError("the novelty holds numbers that are not finite float32")

    def distances(self, features: npt.ArrayLike) -> Floats:
        """float64 [n], from float [n, d]."""
        return np.asarray(_to_each(np.asarray(features) @ self.whitening.T, self.centres).min(1))


def fit_novelty(features: npt.ArrayLike, labels: Sequence[str]) -> tuple[Novelty, Floats]:
    """Fit on all pictures; also each one's distance had it been left out.

    Returns:
        The measure, and float64 [n] leave-one-out distances; NaN for the only picture of a class,
        which would lie nowhere.

    Raises:
        TrainingError: the features cannot be used.
    """
    data = training_set(features, labels)
    place = np.searchsorted(np.asarray(data.classes), data.labels)
    means = np.stack([data.features[place == c].mean(axis=0) for c in range(len(data.classes))])
    covariance, shrinkage = _shrunk(data.features - means[place])
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    left_out = _left_out(data, place, means, whitening, shrinkage)
    fitted = Novelty(whitening.astype(np.float32), (means @ whitening.T).astype(np.float32))
    return fitted, left_out


def novelty_border(left_out: Floats, rate: float) -> float:
    """The distance that a share `rate` of ordinary parts exceeds.

    The quantile of the leave-one-out distances where there are enough of them, as in conformal
    prediction; with fewer than 1/rate, the tail of a log-normal that is fitted to them.

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
        return float(known[place - 1])
    logs = np.log(np.maximum(known, np.finfo(np.float64).tiny))
    tail = NormalDist(float(logs.mean()), max(float(logs.std(ddof=1)), 1e-9)).inv_cdf(1 - rate)
    return float(max(np.exp(tail), known[-1]))


def _shrunk(residuals: Floats) -> tuple[Floats, float]:
    """Ledoit and Wolf's covariance of centred rows, and its shrinkage; never singular."""
    from sklearn.covariance import ledoit_wolf

    covariance, shrinkage = ledoit_wolf(residuals, assume_centered=True)
    floor = 1e-6 * np.trace(covariance) / len(covariance) + 1e-12  # identical pictures, too
    return covariance + floor * np.eye(len(covariance)), float(shrinkage)


def _left_out(
    data: TrainingSet, place: npt.NDArray[np.intp], means: Floats, whitening: Floats, lam: float
) -> Floats:
    """Distances of each picture to the classes as they are without it, in closed form.

    Taking picture i out of its class of m takes m/(m−1) · r rᵀ from the scatter, r being its
    distance from the mean, and moves the mean by r/(m−1). With the shrinkage held, Sherman and
    Morrison's formula gives the distances under the new covariance.
    """
    n, d = data.features.shape
    sizes = np.bincount(place).astype(np.float64)[place]
    grow = np.where(sizes > 1, sizes / np.maximum(sizes - 1, 1), 0.0)
    whitened = data.features @ whitening.T
    own = whitened - (means @ whitening.T)[place]  # W r
    c = (1 - lam) * grow / n  # the scatter is divided by n here and there
    away = np.maximum(1 - c * np.einsum("nd,nd->n", own, own), 1e-9)
    nearest = np.full(n, np.inf)
    for number, mean in enumerate(means):  # one class at a time: n × k × d would not fit
        gap = whitened - whitening @ mean
        gap[place == number] *= grow[place == number, None]
        along = np.einsum("nd,nd->n", gap, own)
        nearest = np.minimum(nearest, np.einsum("nd,nd->n", gap, gap) + c / away * along**2)
    nearest[sizes < 2] = np.nan
    return np.asarray(nearest / d)


def _to_each(whitened: npt.NDArray[np.floating], centres: Floats32) -> npt.NDArray[np.floating]:
    """Squared distances [n, k] divided by d, so that an ordinary part has about 1."""
    gaps = whitened[:, None, :] - centres[None]
    return np.asarray(np.einsum("nkd,nkd->nk", gaps, gaps) / whitened.shape[1])
