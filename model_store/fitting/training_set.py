"""Features and labels, checked before anything is fitted on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.errors import TrainingError
from quality.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """float64 [n, d] features, [n] labels, and the classes in sorted order."""

    features: Floats
    labels: npt.NDArray[np.str_]
    classes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Images a class."""
        found = Counter(self.labels.tolist())
        return {name: found[name] for name in self.classes}


def training_set(
    features: npt.ArrayLike, labels: Sequence[str], *, least_classes: int = 2
) -> TrainingSet:
    """Check features and labels.

    Args:
        features: float [n, d].
        labels: n class names.
        least_classes: how many different ones must be there, 1 or 2.

    Raises:
        TrainingError: lengths differ, a number is not finite, or there are too few classes.
    """
    matrix = np.asarray(features, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] < 1:
        raise TrainingError(f"features must be images × dimensions; their shape is {matrix.shape}")
    if len(matrix) != len(labels):
        raise TrainingError(
            f"{len(matrix)} feature vectors do not match {len(labels)} labels; each labelled "
            "picture needs its features"
        )
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if broken.size:
        raise TrainingError(
            f"the features of {broken.size} pictures are not finite (the first is number "
            f"{broken[0]}); inspect these pictures again, or leave their labels out"
        )
    names = np.asarray(labels, dtype=np.str_)
    classes = tuple(sorted(set(names.tolist())))
    if len(classes) < least_classes:
        found = f"only {classes[0]!r}" if classes else "none"
        needed = "two classes" if least_classes == 2 else "one class"
        raise TrainingError(f"labels of at least {needed} are needed; there is {found}")
    return TrainingSet(matrix, names, classes)
