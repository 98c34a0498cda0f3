"""Folds that several models share, so that they are compared on the same pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from model_store.head import Head, probabilities
from quality.arrays import Floats

Fit = Callable[[Floats, Sequence[str]], Head]
Folds = npt.NDArray[np.int64]
UNTESTED = -1


def assign_folds(labels: Sequence[str], folds: int, random_state: int) -> Folds:
    """The test fold of each picture, int64 [n]; -1 where its class has fewer pictures than folds.

    They are those of `model_store.crossval.cross_validate` for the same pictures in this order.
    """
    from sklearn.model_selection import StratifiedKFold

    counts = Counter(labels)
    names = np.asarray(labels, dtype=np.str_)
    where = np.flatnonzero([counts[name] >= folds for name in labels])
    assigned = np.full(len(names), UNTESTED, dtype=np.int64)
    if not len(where):
        return assigned
    splitter = StratifiedKFold(folds, shuffle=True, random_state=random_state)
    for number, (_, test) in enumerate(splitter.split(where, names[where])):
        assigned[where[test]] = number
    return assigned


def out_of_fold(
    fit: Fit,
    vectors: Floats,
    labels: Sequence[str | None],
    folds: Folds,
    classes: Sequence[str],
) -> Floats:
    """What a model that had not seen it says of each picture.

    Args:
        fit: makes the head that judges one fold from the pictures of all others.
        vectors: float64 [n, d].
        labels: what the model was told of each picture; None where it was not told of it.
        folds: of each picture, from `assign_folds`.
        classes: the columns of the result.

    Returns:
        float64 [n, k]; 0 for a class that a fold's model did not know, NaN where not tested.

    Raises:
        TrainingError: what is left for a fold cannot be fitted on.
    """
    shares = np.full((len(vectors), len(classes)), np.nan)
    told = np.asarray([label is not None for label in labels])
    column = {name: index for index, name in enumerate(classes)}
    for number in sorted(set(folds.tolist()) - {UNTESTED}):
        learn, test = np.flatnonzero(told & (folds != number)), np.flatnonzero(folds == number)
        head = fit(vectors[learn], [str(labels[index]) for index in learn.tolist()])
        known = [index for index, name in enumerate(head.classes) if name in column]
        found = np.zeros((len(test), len(classes)))
        found[:, [column[head.classes[index]] for index in known]] = probabilities(
            head, vectors[test]
        )[:, known]
        shares[test] = found
    return shares
