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

import numpy as np
import numpy.typing as npt

from model_store.validation.folds import Bools, Numbers, part_numbers

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
    number = part_numbers(parts, len(parts))
    matrix = np.asarray(features, np.float32)
    first = _joined_equals(number, matrix, alone)
    for row, near in _near(_centred(matrix, labels), alone, same):
        _join(first, number[row], number[near])
    names = list(dict.fromkeys(parts))
    return [names[part] for part in first[number].tolist()]


def _join(first: Numbers, part: int, others: Numbers) -> None:
    """Let parts be one; `first` says for each part's number the least of those that are it too."""
    found = first[others]
    if (found == first[part]).all():
        return
    both = np.unique(np.append(found, first[part]))
    first[np.isin(first, both)] = both[0]


def _joined_equals(number: Numbers, features: Floats32, alone: Bools) -> Numbers:
    """int64 [p], of each part the number of the first that equal pictures make the same."""
    same = _Joined()
    for row, other in _equal(features, alone):
        same.join(int(number[row]), int(number[other]))
    return np.array([same.of(part) for part in range(int(number.max()) + 1)], np.int64)


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


def _near(unit: Floats32, alone: Bools, same: float) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Rows that are alone, each with all whose cosine is at least `same`, where there are any."""
    rows = np.flatnonzero(alone)
    for start in range(0, len(rows), _ROWS):
        chunk = rows[start : start + _ROWS]
        near = unit[chunk] @ unit.T >= same
        near[np.arange(len(chunk)), chunk] = False
        for place in np.flatnonzero(near.any(axis=1)).tolist():
            yield int(chunk[place]), np.flatnonzero(near[place])


class _Joined:
    """Parts that are the same, by the least of their numbers."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def of(self, part: int) -> int:
        """The first of the parts that are the same as this one."""
        while part in self._above:
            part = self._above[part]
        return part

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        if first != second:
            self._above[second] = first
