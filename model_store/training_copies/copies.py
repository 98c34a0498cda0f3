"""Copies of labelled pictures, to learn from and never to be tested on. Pure.

A product's symmetry says what leaves a part what it is: a mirror, a quarter turn, a lamp. Copies
that were changed so are learned from with their picture, in every fold that learns from it and in
no other, so no fold is judged by a model that knows a picture's copy. All of them together weigh
as much as one picture: that pictures have copies is no reason to trust labels more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.errors import TrainingError
from quality.arrays import Floats

Numbers = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Features of copies.

    Attributes:
        vectors: float64 [m, d], finite.
        of: int64 [m], the row of the picture that each is a copy of.

    Raises:
        TrainingError: they do not match, or a number is not finite.
    """

    vectors: Floats
    of: Numbers

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.of):
            shapes = f"{self.vectors.shape} and {self.of.shape}"
            raise TrainingError(f"copies and their pictures do not match: {shapes}")
        if not np.isfinite(self.vectors).all():
            raise TrainingError("the features of a copy are not finite")

    def __len__(self) -> int:
        return len(self.of)

    def of_rows(self, rows: Numbers) -> Copies:
        """The copies of some pictures; each is then of the place of its picture in `rows`."""
        order = np.argsort(rows, kind="stable")
        place = np.searchsorted(rows, self.of, sorter=order)
        place = order[np.minimum(place, len(rows) - 1)] if len(rows) else place
        there = rows[place] == self.of if len(rows) else np.zeros(len(self), dtype=np.bool_)
        return Copies(self.vectors[there], place[there])


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What is fitted on: `weights` is None where every row weighs alike."""

    features: Floats
    labels: Names
    weights: Floats | None

    def weighing(self, *steps: str) -> dict[str, Floats]:
        """The keywords with which a pipeline's `steps` are told the weights."""
        if self.weights is None:
            return {}
        return {f"{step}__sample_weight": self.weights for step in steps}


def given(copies: Copies | None) -> dict[str, Copies]:
    """The keyword with which a fit is handed copies; none where there are none."""
    return {} if copies is None else {"copies": copies}


def lessons(
    features: Floats, labels: Sequence[str] | Names, copies: Copies | None = None
) -> Lessons:
    """Pictures, then their copies; a picture and its copies weigh 1 together.

    Args:
        features: float64 [n, d].
        labels: n class names.
        copies: of these rows.

    Raises:
        TrainingError: the copies' features are of another length.
    """
    names = np.asarray(labels, dtype=np.str_)
    if copies is None or not len(copies):
        return Lessons(features, names, None)
    if copies.vectors.shape[1] != features.shape[1]:
        raise TrainingError(
            f"features of copies have {copies.vectors.shape[1]} numbers, those of pictures "
            f"{features.shape[1]}"
        )
    share = 1 / (1 + np.bincount(copies.of, minlength=len(features)))
    return Lessons(
        np.concatenate([features, copies.vectors]),
        np.concatenate([names, names[copies.of]]),
        np.concatenate([share, share[copies.of]]),
    )
