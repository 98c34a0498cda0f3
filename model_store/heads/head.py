"""A head: standardisation and multinomial logistic regression over feature vectors, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from quality.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What a model version computes: softmax(coef · (x − mean) / scale + intercept).

    Attributes:
        classes: k names, each once; one alone where good parts are all that is known.
        mean: [d], subtracted from the features.
        scale: [d], which they are then divided by; positive.
        coef: [k, d], over the standardised features; one row a class, also where there are two.
        intercept: [k].
        centroids: [k, d], the mean feature vector of each class, not standardised.
        converged: whether the fit ended by itself, not by its limit of iterations.

    Raises:
        ModelError: shapes disagree, or a number is not finite.
    """

    classes: tuple[str, ...]
    mean: Floats
    scale: Floats
    coef: Floats
    intercept: Floats
    centroids: Floats
    converged: bool = True

    def __post_init__(self) -> None:
        k = len(self.classes)
        d = self.mean.shape[0] if self.mean.ndim == 1 else 0
        if k < 1 or len(set(self.classes)) < k or d < 1:
            raise ModelError(f"a head needs different classes and features; got {k}")
        shapes = {"mean": (d,), "scale": (d,), "coef": (k, d), "intercept": (k,)}
        for name, shape in {**shapes, "centroids": (k, d)}.items():
            _check(name, getattr(self, name), shape)
        if not (self.scale > 0).all():
            raise ModelError("the head's 'scale' holds a number that is not positive")

    @property
    def dim(self) -> int:
        """The length of the feature vectors it judges."""
        return int(self.mean.shape[0])

    def affine(self) -> tuple[Floats, Floats]:
        """Scaler and regression as one layer: W [k, d] and b [k], with logits = x · Wᵀ + b.

        They are float64. A feature that hardly varies has a large weight which the bias cancels
        again; float32 would lose the difference.
        """
        weight = self.coef / self.scale
        return weight, self.intercept - weight @ self.mean


def probabilities(head: Head, vectors: Floats) -> Floats:
    """softmax(W x + b), float64 [n, k]; NaN rows where a vector is not finite.

    Raises:
        ModelError: the vectors are not as long as the head expects.
    """
    if vectors.shape[1] != head.dim:
        raise ModelError(
            f"features of {vectors.shape[1]} numbers were given to a head for {head.dim}; "
            "it was fitted on other features"
        )
    weight, bias = head.affine()
    with np.errstate(invalid="ignore"):
        logits = vectors @ weight.T + bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _check(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ModelError(f"the head's {name!r} has shape {array.shape}; {shape} was expected")
    if array.dtype != np.float64:
        raise ModelError(f"the head's {name!r} is {array.dtype}; float64 was expected")
    if not np.isfinite(array).all():
        raise ModelError(f"the head's {name!r} holds a number that is not finite")
