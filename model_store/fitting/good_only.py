"""A model of good parts alone: it passes what is like them and leaves all else to people.

It is the way to begin where no defect has been seen yet. Nothing it says is a probability: its
head has one class, and the border of `model_store.novelty.one_class` does all the judging.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from linewatch.errors import TrainingError
from model_store.fitting.training_set import training_set
from model_store.heads.head import Head
from model_store.novelty.one_class import LEAST_PARTS
from model_store.novelty.unlike_good import GoodPatches, fit_unlike_good
from model_store.validation.folds import Numbers, part_numbers
from model_store.verdicts.decisions import Decided
from model_store.verdicts.verdict import Thresholds


def good_only_head(
    features: npt.ArrayLike, labels: Sequence[str], parts: Numbers | None = None
) -> Head:
    """A head that knows one class and gives it every part.

    Args:
        features: float [n, d].
        labels: n times the same name.
        parts: change nothing; a `model_store.validation.folds.Fit` is given them.

    Raises:
        TrainingError: they name several classes, or the features cannot be used.
    """
    data = training_set(features, labels, least_classes=1)
    if len(data.classes) > 1:
        raise TrainingError(f"good parts alone are of one class, not {', '.join(data.classes)}")
    dim = data.features.shape[1]
    return Head(
        classes=data.classes,
        mean=np.zeros(dim),
        scale=np.ones(dim),
        coef=np.zeros((1, dim)),
        intercept=np.zeros(1),
        centroids=data.features.mean(axis=0, keepdims=True),
    )


def good_only(
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    rate: float | None,
    parts: Numbers | None = None,
    patches: GoodPatches | None = None,
) -> Decided:
    """The model, with its border.

    Args:
        features: float [n, d].
        labels: n times the good class.
        rate: the share of good parts that may be called unlike good.
        parts: int64 [n], the number of the part that each picture shows; None: all different.
        patches: the pictures' places, where they were looked at.

    Raises:
        TrainingError: there are fewer than ten good parts, or no rate: it would pass everything.
    """
    head = good_only_head(features, labels)
    (good,) = head.classes
    if not rate:
        raise TrainingError(
            f"all labels are {good!r}, and LINEWATCH_UNLIKE_GOOD_RATE=0 leaves nothing to judge "
            "by; set a rate, or label some defects"
        )
    numbers = part_numbers(None if parts is None else parts.tolist(), len(labels))
    if (count := int(numbers.max(initial=-1)) + 1) < LEAST_PARTS:
        raise TrainingError(
            f"all labels are {good!r}, and {count} good parts do not show how far apart good ones "
            f"lie ({LEAST_PARTS} do); label more good parts, or some defects"
        )
    matrix = np.asarray(features, np.float64)
    found = fit_unlike_good(matrix, np.full(len(matrix), True), rate, numbers, patches)
    one_class, memory = found.one_class, found.memory
    thresholds = Thresholds(
        review_below=0.0,
        unlike_good_above=None if one_class is None else one_class.border,
        patches_above=None if memory is None else memory.border,
    )
    return Decided(head, thresholds, None, None, one_class, memory)
