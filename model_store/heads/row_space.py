"""Few pictures, many columns: fit where the pictures are, at a cost that hardly grows with columns.

The weights of an L2-penalised linear model lie in the span of the (centred) training rows: the
representer theorem. Rotated onto an orthonormal basis of that span, n pictures have at most n − 1
columns, and the rotated problem has the same minimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quality.arrays import Floats

_SMALLEST = 1e-9  # of the largest singular value; below it a direction is rounding


@dataclass(frozen=True, slots=True, eq=False)
class RowSpace:
    """A basis of the centred rows' span.

    Attributes:
        rows: float64 [n, r], the training rows in that basis.
        basis: float64 [d, r], orthonormal columns; x · basis takes a centred row there, and
            weights · basisᵀ come back.
    """

    rows: Floats
    basis: Floats


def row_space(centred: npt.ArrayLike) -> RowSpace:
    """The span of `centred`, float [n, d], whose columns have mean 0.

    Where there are at least as many rows as columns nothing is gained, and nothing is rotated.
    """
    matrix = np.asarray(centred, np.float64)
    n, d = matrix.shape
    if n > d:
        return RowSpace(matrix, np.eye(d))
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    kept = values > max(values[-1], 0) * _SMALLEST
    if not kept.any():  # all rows are the same: there is nothing to tell them apart by
        return RowSpace(np.zeros((n, 1)), np.full((d, 1), d**-0.5))
    lengths = np.sqrt(values[kept])
    basis = (matrix.T @ vectors[:, kept]) / lengths
    return RowSpace(vectors[:, kept] * lengths, basis)
