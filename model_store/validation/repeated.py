"""Cross-validation over many draws of pictures and folds: a figure and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_store.validation.crossval import FOLDS, CrossValidation, cross_validate
from quality.arrays import Floats

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over draws.

    Attributes:
        mean: over the draws.
        low: of the mean's 95 % interval (Student's t over draws); None with one draw.
        high: likewise.
        draws_low: 95 % of single draws lie above this percentile...
        draws_high: ... and below this one.
    """

    mean: float
    low: float | None
    high: float | None
    draws_low: float
    draws_high: float


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """What repeated cross-validation found.

    Attributes:
        figures: accuracy, macro_f1, weighted_f1 and macro_f1_with_unscored, by name.
        classes: by class: precision, recall and f1; empty where it could not be tested.
        support: pictures of each class in a draw.
        validations: each draw's.
    """

    figures: dict[str, Spread]
    classes: dict[str, dict[str, Spread]]
    support: dict[str, int]
    validations: tuple[CrossValidation, ...]


def repeat(
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    seeds: int,
    per_class: int | None = None,
    folds: int = FOLDS,
    groups: Sequence[Hashable] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Repeated:
    """Cross-validate `seeds` times, each time with other folds (and, with `per_class`, pictures).

    Draws share pictures, so the interval of the mean says how well *these pictures* pin the figure
    down, not how other pictures would do.

    Args:
        features: float [n, d].
        labels: n class names.
        seeds: how many draws; draw k has random state k.
        per_class: pictures of each class in a draw; None: all.
        folds: of each cross-validation.
        groups: names the part of each picture; None: each is a part of its own.
        progress: called with 1 after each draw.

    Raises:
        TrainingError: the data cannot be cross-validated.
    """
    matrix, names = np.asarray(features, np.float64), np.asarray(labels)
    found = []
    for seed in range(seeds):
        rows = drawn_rows(names, per_class, seed)
        chosen = names[rows].tolist()
        mine = None if groups is None else [groups[row] for row in rows.tolist()]
        found.append(
            cross_validate(matrix[rows], chosen, folds=folds, random_state=seed, groups=mine)
        )
        progress(1)
    rows_by_class = [{row.class_code: row for row in one.metrics.classes} for one in found]
    averages = ("accuracy", "macro_f1", "weighted_f1", "macro_f1_with_unscored")
    scored = [row.class_code for row in found[0].metrics.classes if row.scored]
    return Repeated(
        figures={name: spread([getattr(o.metrics, name) for o in found]) for name in averages},
        classes={
            code: {
                name: spread([getattr(rows[code], name) for rows in rows_by_class])
                for name in ("precision", "recall", "f1")
            }
            for code in scored
        },
        support={row.class_code: row.support for row in found[0].metrics.classes},
        validations=tuple(found),
    )


def drawn_rows(
    labels: npt.NDArray[np.str_], per_class: int | None, seed: int
) -> npt.NDArray[np.intp]:
    """Rows of at most `per_class` pictures a class, drawn with `seed`; None: all, in order."""
    if per_class is None:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(labels == k))[:per_class] for k in np.unique(labels)]
    )


def spread(values: Sequence[float]) -> Spread:
    """Mean, its 95 % interval, and where 95 % of the values lie; all within 0 and 1.

    Student's interval of few draws reaches beyond what a share can be; it is cut off there.
    """
    array: Floats = np.asarray(values, np.float64)
    mean = float(array.mean())
    low, high = np.percentile(array, [2.5, 97.5])
    if len(array) < 2:
        return Spread(mean, None, None, float(low), float(high))
    from scipy.stats import t

    half = float(t.ppf(0.5 + _LEVEL / 2, len(array) - 1) * array.std(ddof=1) / len(array) ** 0.5)
    return Spread(mean, max(0.0, mean - half), min(1.0, mean + half), float(low), float(high))
