"""The distance as models of 0.1.0 hold it: one d × d matrix. Judged by; no training makes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from quality.arrays import Floats

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class WhitenedNovelty:
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
        whitened = np.asarray(features) @ self.whitening.T
        gaps = whitened[:, None, :] - self.centres[None]
        return np.asarray(np.einsum("nkd,nkd->nk", gaps, gaps).min(1) / whitened.shape[1])
