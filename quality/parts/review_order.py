"""In which order people should see parts that wait for them. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from quality.arrays import Floats

T = TypeVar("T")
_HOLDS_UP, _NOVEL, _UNSURE, _ANY = 1.0, 0.75, 0.5, 0.25  # what each is worth beside the others
_LEAST, _MOST = 0.1, 0.5  # share of drawn parts in a mixed queue


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What is known of a part that waits.

    Attributes:
        open_in_lot: open parts of its lot, with this one; 0 where it has no lot.
        novel: it is unlike all that was labelled.
        confidence: of the model's first choice, 0 to 1; None where no model judged it.
        vector: [d] features; None where none are stored. All have the same length.
    """

    open_in_lot: int
    novel: bool
    confidence: float | None
    vector: Floats | None = None


def usefulness(one: Candidate) -> float:
    """How much a decision on it is worth: the last open parts of a lot, novel, uncertain ones."""
    lot = 1 / one.open_in_lot if one.open_in_lot else 0.0
    unsure = 0.5 if one.confidence is None else 1 - one.confidence
    return _ANY + _HOLDS_UP * lot + _NOVEL * one.novel + _UNSURE * unsure


def useful_order(candidates: Sequence[Candidate], first: int) -> list[int]:
    """Places of the candidates, most useful first, near-twins of those before them late.

    Greedy k-centre (Gonzalez 1985) weighted with usefulness: each next one maximises usefulness
    times the distance to the nearest that is chosen, as a share of the largest such one so far. A
    candidate without features counts as far from all.

    Args:
        candidates: some hundred.
        first: so many are chosen like this, the rest by usefulness alone.
    """
    worth = np.array([usefulness(one) for one in candidates])
    rest, chosen = np.ones(len(candidates), bool), []
    units = _units(candidates)
    near, farthest = np.full(len(candidates), np.inf), 0.0
    for _ in range(min(first, len(candidates))):
        finite = near[rest & np.isfinite(near)]
        farthest = max(farthest, float(finite.max(initial=0.0)))
        far = np.minimum(near / (farthest or 1.0), 1.0)
        place = int(np.argmax(np.where(rest, worth * (far + 1e-9), -np.inf)))
        chosen.append(place)
        rest[place] = False
        if units[place].any():
            near = np.minimum(near, _distances(units, place))
    others = [int(place) for place in np.argsort(-worth, kind="stable") if rest[place]]
    return chosen + others


def _units(candidates: Sequence[Candidate]) -> Floats:
    """[n, d] of length 1; zeros where there are no features."""
    dim = next((len(one.vector) for one in candidates if one.vector is not None), 1)
    rows = np.zeros((len(candidates), dim))
    for place, one in enumerate(candidates):
        if one.vector is not None and len(one.vector) == dim:
            rows[place] = one.vector
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _distances(units: Floats, place: int) -> Floats:
    """[n] cosine distances to one of them; infinite for those without features."""
    apart = np.clip(1 - units @ units[place], 0, None)
    return np.where(units.any(axis=1), apart, np.inf)


def mixed(waiting: Sequence[T], drawn: Sequence[T], *, seed: str) -> list[T]:
    """Both, each in its order, drawn ones at places that nobody can tell from the others.

    Drawn ones are a tenth of the queue at least and half of it at most, while both last.

    Args:
        waiting: the most useful first.
        drawn: parts of the audit sample.
        seed: the same one gives the same places.
    """
    chance = random.Random(seed)  # noqa: S311 - hides nothing: who may guess it sees the parts too
    total = len(waiting) + len(drawn)
    share = min(max(len(drawn) / total, _LEAST), _MOST) if total else 0.0
    left, others, found = list(waiting), list(drawn), []
    while left and others:
        found.append((others if chance.random() < share else left).pop(0))
    return found + left + others
