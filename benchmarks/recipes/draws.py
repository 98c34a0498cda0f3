"""Draws of pictures and folds that every candidate shares, and what a candidate scores on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recipes.candidates import Candidate
from benchmarks.recipes.columns import Columns
from benchmarks.recipes.extras import EXTRAS, Fold
from model_store.heads.baselines import fit_rival

FOLDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Rows of a set, and which fold tests each."""

    rows: NDArray[np.intp]
    folds: tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]


def draw(labels: NDArray[np.str_], per_class: int | None, seed: int) -> Draw:
    """At most `per_class` pictures of each class, and stratified folds of them."""
    from sklearn.model_selection import StratifiedKFold

    rng = np.random.default_rng(seed)
    rows = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == k))[:per_class] for k in np.unique(labels)]
    )
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return Draw(rows, tuple(splitter.split(rows, labels[rows])))


def fused(columns: Columns, parts: Sequence[str]) -> NDArray[np.float64]:
    """What `vision.recipes.join` makes of these parts."""
    blocks = [_unit(columns[name].astype(np.float64)) for name in parts]
    return _unit(np.concatenate(blocks, axis=1))


def macro_f1(
    candidate: Candidate,
    features: NDArray[np.float64],
    columns: Columns,
    labels: NDArray[np.str_],
    drawn: Draw,
) -> float:
    """Of the folds' predictions together, over all classes."""
    from sklearn.metrics import f1_score

    actual = labels[drawn.rows]
    said = np.empty_like(actual)
    for train, test in drawn.folds:
        fold = Fold(columns, labels, drawn.rows[train], drawn.rows[test])
        said[test] = _predicted(candidate, features, fold)
    return float(f1_score(actual, said, average="macro", zero_division=0))


def _predicted(candidate: Candidate, features: NDArray[np.float64], fold: Fold) -> NDArray[Any]:
    if candidate.extra == "combined":
        return EXTRAS["combined"].predict(features, fold)
    x, unseen = features[fold.train], features[fold.test]
    if candidate.extra:
        more, unseen_more = EXTRAS[candidate.extra].columns(fold)
        x, unseen = np.hstack([x, more]), np.hstack([unseen, unseen_more])
    head = fit_rival(x, fold.labels[fold.train].tolist(), candidate.head)
    weight, bias = head.affine()
    found: NDArray[Any] = np.asarray(head.classes)[(unseen @ weight.T + bias).argmax(axis=1)]
    return found


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.maximum(
        np.linalg.norm(rows, axis=1, keepdims=True), 1e-12
    )
    return unit
