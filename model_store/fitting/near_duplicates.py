"""Pictures that are one picture twice, where no serial number says which part they show. Pure.

A picture that was sent, saved or exposed a second time is no second part, and a model that learned
from one knows the other. Such pairs lie next to each other in features from which the mean of
their class has been taken off; before that all pictures of one class look alike. Equal features are
one picture in any case.

How `SAME` was chosen, on the compact encoders' features: of different parts the nearest pair had a
cosine of 0.919 (bottles, 103 pictures), 0.965 (simulated cables, 660) and 0.997 (solar cells,
2,223), so nothing is joined there. The same picture saved anew as JPEG of quality 95 had 0.999 and
more in half of the cases, 0.996 in nine of ten. Steel surfaces (x-sdd) hold nine of their 1,360
pictures twice, with 1.0; the next nearest pair has 0.988. A part that was photographed again and
moved by half a hundredth of the picture's width has 0.5 to 0.9 at best and is not found: only its
serial number says that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from model_store.validation.folds import Bools

Floats32 = npt.NDArray[np.float32]

SAME = 0.998  # cosine of centred features from which two pictures count as one
_ROWS = 1024  # compared at a time: memory for so many rows of cosines


def with_duplicates(
    ids: Sequence[object],
    parts: Sequence[str],
    labels: Sequence[str],
    features: npt.ArrayLike,
    *,
    same: float = SAME,
) -> list[str]:
    """The name of each picture's part, once pictures without a serial number are looked at.

    Args:
        ids: of n pictures; a picture whose part is named by its own id has no serial number.
        parts: n names of parts.
        labels: n class names.
        features: float [n, d].
        same: the cosine from which on two pictures show one part.

    Returns:
        n names. Pictures that are joined, directly or by others between them, have the first one's.
    """
    alone = np.array([str(id_) == part for id_, part in zip(ids, parts, strict=True)], np.bool_)
    if not alone.any():
        return list(parts)
    first = _Joined(parts)
    matrix = np.asarray(features, np.float32)
    for row, other in chain(_equal(matrix, alone), _near(_centred(matrix, labels), alone, same)):
        first.join(parts[row], parts[other])
    return [first.of(part) for part in parts]


def _equal(features: Floats32, alone: Bools) -> Iterator[tuple[int, int]]:
    """Rows, one of them alone, that are equal: each with the first such row, alone or not."""
    first: dict[bytes, int] = {}
    for row, vector in enumerate(features):
        earlier = first.setdefault(vector.tobytes(), row)
        if earlier != row and (alone[row] or alone[earlier]):
            yield earlier, row


def _centred(features: Floats32, labels: Sequence[str]) -> Floats32:
    """Each row less the mean of its class, and of length one; 0 for what is the mean."""
    centred, names = features.copy(), np.asarray(labels)
    for name in np.unique(names):
        mine = names == name
        centred[mine] -= features[mine].mean(axis=0, dtype=np.float64).astype(np.float32)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    centred /= np.where(lengths > 0, lengths, 1)
    return centred


def _near(unit: Floats32, alone: Bools, same: float) -> Iterator[tuple[int, int]]:
    """Rows, one of them alone, whose cosine is at least `same`."""
    rows = np.flatnonzero(alone)
    for start in range(0, len(rows), _ROWS):
        chunk = rows[start : start + _ROWS]
        near = unit[chunk] @ unit.T >= same
        near[np.arange(len(chunk)), chunk] = False
        for one, other in np.argwhere(near).tolist():
            yield int(chunk[one]), other


class _Joined:
    """Names that mean the same, by the one that came first."""

    def __init__(self, names: Sequence[str]) -> None:
        self._order = {name: place for place, name in enumerate(dict.fromkeys(names))}
        self._above: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The first of the names that mean the same as this one."""
        while name in self._above:
            name = self._above[name]
        return name

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.of(one), self.of(other)), key=self._order.__getitem__)
        if first != second:
            self._above[second] = first
