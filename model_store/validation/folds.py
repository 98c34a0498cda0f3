"""Folds by part that several models share, so that they are compared on the same pictures.

A part often has several pictures: views, passes through the line, a burst. A model that learned
from one of them knows the part again in the others, so a split that parts them promises what no
line will see. Measured on real parts with several pictures each: 10 % escapes by random folds, 20 %
by part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.errors import TrainingError
from model_store.heads.head import Head, probabilities
from model_store.training_copies.copies import Copies, given
from quality.arrays import Floats

Numbers = npt.NDArray[np.int64]
Folds = Numbers
Bools = npt.NDArray[np.bool_]
# Of vectors, labels and part numbers; and `copies`, where there are any.
Fit = Callable[..., Head]
UNTESTED = -1


def part_numbers(groups: Sequence[Hashable] | None, count: int) -> Numbers:
    """The number of each picture's part, int64 [count], counted as parts first appear.

    Args:
        groups: what names the part of each picture; None: each picture is a part of its own.
        count: how many pictures there are.

    Raises:
        TrainingError: there are not as many groups as pictures.
    """
    if groups is None:
        return np.arange(count, dtype=np.int64)
    if len(groups) != count:
        raise TrainingError(f"{len(groups)} parts are named for {count} pictures; each has one")
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(group, len(seen)) for group in groups], dtype=np.int64)


def parts_a_class(labels: Sequence[str], parts: Numbers) -> dict[str, int]:
    """How many parts show each class, by name; `parts` is from `part_numbers`."""
    shown = Counter(name for name, _ in set(zip(labels, parts.tolist(), strict=True)))
    return {name: shown[name] for name in sorted(shown)}


def assign_folds(
    labels: Sequence[str],
    folds: int,
    random_state: int,
    groups: Sequence[Hashable] | None = None,
) -> Folds:
    """The test fold of each picture, int64 [n]; -1 where its class has fewer parts than folds.

    All pictures of a part are in one fold, or a model would be asked about a part that it knows.
    They are those of `model_store.validation.crossval.cross_validate` for these pictures in order.
    Where each picture is a part of its own they are scikit-learn's StratifiedKFold, else its
    StratifiedGroupKFold: both shuffled, both with as even a share of each class as can be had.

    Args:
        labels: n class names.
        folds: how many.
        random_state: decides which part is in which fold.
        groups: names the part of each picture; None: each is a part of its own.

    Raises:
        TrainingError: there are not as many groups as pictures.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    parts = part_numbers(groups, len(labels))
    counts = parts_a_class(labels, parts)
    names = np.asarray(labels, dtype=np.str_)
    where = np.flatnonzero([counts[name] >= folds for name in labels])
    assigned = np.full(len(names), UNTESTED, dtype=np.int64)
    if not len(where):
        return assigned
    split: Any
    if len(np.unique(parts[where])) == len(where):
        alone = StratifiedKFold(folds, shuffle=True, random_state=random_state)
        split = alone.split(where, names[where])
    else:
        kept = StratifiedGroupKFold(folds, shuffle=True, random_state=random_state)
        split = kept.split(where, names[where], parts[where])
    for number, (_, test) in enumerate(split):
        assigned[where[test]] = number
    return assigned


def learned_from(folds: Folds, number: int, parts: Numbers) -> Bools:
    """The pictures that the model which judges fold `number` learns from, bool [n].

    All but those of the parts that it judges. A picture of a class too rare to be tested helps in
    every fold, except in that of a part which it shows too.
    """
    return ~np.isin(parts, parts[folds == number])


def out_of_fold(
    fit: Fit,
    vectors: Floats,
    labels: Sequence[str | None],
    folds: Folds,
    classes: Sequence[str],
    groups: Sequence[Hashable] | None = None,
    copies: Copies | None = None,
) -> Floats:
    """What a model that had not seen its part says of each picture.

    Args:
        fit: makes the head that judges one fold from the pictures of all other parts.
        vectors: float64 [n, d].
        labels: what the model was told of each picture; None where it was not told of it.
        folds: of each picture, from `assign_folds`.
        classes: the columns of the result.
        groups: names the part of each picture, as for `assign_folds`.
        copies: of the pictures, learned from with them.

    Returns:
        float64 [n, k]; 0 for a class that a fold's model did not know, NaN where not tested.

    Raises:
        TrainingError: what is left for a fold cannot be fitted on.
    """
    shares = np.full((len(vectors), len(classes)), np.nan)
    told = np.asarray([label is not None for label in labels])
    parts = part_numbers(groups, len(labels))
    column = {name: index for index, name in enumerate(classes)}
    for number in sorted(set(folds.tolist()) - {UNTESTED}):
        learn = np.flatnonzero(told & learned_from(folds, number, parts))
        test = np.flatnonzero(folds == number)
        known_then = [str(labels[index]) for index in learn.tolist()]
        mine = None if copies is None else copies.of_rows(learn)
        head = fit(vectors[learn], known_then, parts[learn], **given(mine))
        known = [index for index, name in enumerate(head.classes) if name in column]
        found = np.zeros((len(test), len(classes)))
        found[:, [column[head.classes[index]] for index in known]] = probabilities(
            head, vectors[test]
        )[:, known]
        shares[test] = found
    return shares
