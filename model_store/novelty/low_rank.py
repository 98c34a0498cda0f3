"""A covariance with few directions of its own: the others share one variance.

Of n residuals in d columns, n « d, Ledoit and Wolf's covariance (1 − λ) S + λ μ I has at most n
directions in which it is no sphere, so nothing of it needs a d × d matrix. Where even these are
too many, those of the largest variance are kept and the others share the mean of theirs: the
maximum likelihood estimate under probabilistic principal components.

Ledoit and Wolf, "A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices", Journal
of Multivariate Analysis 2004; Tipping and Bishop, "Probabilistic Principal Component Analysis",
Journal of the Royal Statistical Society B 1999.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quality.arrays import Floats

_FLOOR = 1e-6  # of the mean variance, added to each: identical pictures have none
_ROUNDING = 1e-10  # of the largest eigenvalue; a direction below it is rounding


@dataclass(frozen=True, slots=True, eq=False)
class LowRankCovariance:
    """Vᵀ Λ V + ρ (I − Vᵀ V).

    Attributes:
        directions: float64 [r, d], V: orthonormal rows, that of the largest variance first.
        variances: float64 [r], the diagonal of Λ.
        rest: ρ, the variance in every other direction; without a meaning where r = d.
        largest_given_up: the largest variance that `rest` stands for; `rest` if it is exact.
        sphere: the least variance, which shrinkage gives to every direction: λ μ.
        shrinkage: λ.
    """

    directions: Floats
    variances: Floats
    rest: float
    largest_given_up: float
    sphere: float
    shrinkage: float

    @property
    def exact(self) -> bool:
        """Whether it is Ledoit and Wolf's, with nothing averaged."""
        return self.largest_given_up <= self.sphere

    def squared(self, gaps: Floats) -> Floats:
        """Mahalanobis' distances, squared: float64 [n] from float64 [n, d].

        Where directions were given up they lie between sphere ÷ rest and largest_given_up ÷ rest
        times those under the whole covariance.
        """
        within = gaps @ self.directions.T
        whole: Floats = np.square(within) @ (1 / self.variances)
        whole += beyond(gaps, within) / self.rest
        return whole


def beyond(gaps: Floats, within: Floats) -> Floats:
    """The squared length of what of `gaps` [n, d] lies outside the directions; `within` [n, r]."""
    if within.shape[-1] == gaps.shape[-1]:
        return np.zeros(len(gaps))
    left: Floats = np.square(gaps).sum(axis=-1) - np.square(within).sum(axis=-1)
    return np.maximum(left, 0.0)


def shrunk_covariance(
    residuals: Floats, most: int, *, columns: int | None = None
) -> LowRankCovariance:
    """Ledoit and Wolf's covariance of centred rows, of at most `most` directions; never singular.

    Args:
        residuals: float64 [n, d].
        most: 1 or more; at least the residuals' rank, or variances are averaged.
        columns: how many the residuals had before they were rotated into their own span.
    """
    n, d = len(residuals), columns or residuals.shape[1]
    wide = n < residuals.shape[1]
    square = residuals @ residuals.T if wide else residuals.T @ residuals
    shrinkage = _shrinkage(residuals, square, d)
    mean = float(np.square(residuals).sum()) / (n * d)
    sphere = shrinkage * mean + _FLOOR * mean + 1e-12
    squares, vectors = _largest(square, most + 1)
    axes = residuals.T @ vectors / np.sqrt(squares) if wide else vectors
    scatter = (1 - shrinkage) * squares / n
    kept, next_one = scatter[:most], float(scatter[most:].sum())
    left = (1 - shrinkage) * mean * d - float(kept.sum())
    return LowRankCovariance(
        directions=np.ascontiguousarray(axes.T[:most]),
        variances=kept + sphere,
        rest=sphere + max(left, 0.0) / (d - len(kept)) if next_one else sphere,
        largest_given_up=sphere + next_one,
        sphere=sphere,
        shrinkage=shrinkage,
    )


def _shrinkage(rows: Floats, square: Floats, d: int) -> float:
    """Ledoit and Wolf's λ, as scikit-learn computes it, but without going over d × d products.

    The sum of squares of rowsᵀ rows is that of rows rowsᵀ, which may be far smaller.
    """
    n = len(rows)
    lengths = np.square(rows).sum(axis=1)
    mean = float(lengths.sum()) / (n * d)
    spread = float(np.square(square).sum()) / n**2
    noise = (float(np.square(lengths).sum()) / n - spread) / n
    distance = spread - d * mean**2
    return min(max(noise / distance, 0.0), 1.0) if distance > 0 else 0.0


def _largest(square: Floats, most: int) -> tuple[Floats, Floats]:
    """The `most` largest eigenvalues [r], in falling order, and their vectors [·, r]."""
    from scipy.linalg import eigh

    size = len(square)
    values, vectors = eigh(square, subset_by_index=[max(size - most, 0), size - 1])
    kept = values > max(values[-1] * _ROUNDING, np.finfo(np.float64).tiny)
    return values[kept][::-1], vectors[:, kept][:, ::-1]
