"""Champion and challenger on the same pictures: paired counts, tests and intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from producer.contract import Verdict
from quality.arrays import Floats
from quality.intervals import wilson_interval

RESAMPLES = 2000
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one model says of the pictures: its first choice of class and its verdict for each."""

    choices: Sequence[str | None]
    verdicts: Sequence[Verdict]


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """One class: how many pictures of it each finds, and the least that the challenger may find.

    `floor` is the lower end of the champion's 95 % Wilson interval of recall.
    """

    class_code: str
    support: int
    champion_recall: float
    challenger_recall: float
    floor: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Champion and challenger on one set of pictures.

    Attributes:
        pictures: how many.
        champion, challenger: {accuracy, macro_f1, escapes, overkill, review_rate} of each. An
            escape is a defect called good; overkill is a good part called a defect.
        only_champion, only_challenger: pictures whose class only that one told right.
        mcnemar_p: two-sided exact McNemar test of these two counts.
        macro_f1_difference: challenger minus champion.
        macro_f1_interval: its 95 % bootstrap interval over the pictures.
        classes: what became of each class.
    """

    pictures: int
    champion: dict[str, float]
    challenger: dict[str, float]
    only_champion: int
    only_challenger: int
    mcnemar_p: float
    macro_f1_difference: float
    macro_f1_interval: tuple[float, float]
    classes: tuple[ClassLoss, ...]


def compare(
    actual: Sequence[str],
    champion: Opinion,
    challenger: Opinion,
    *,
    good_class: str | None,
    random_state: int = 42,
) -> Figures:
    """Compare two models on the same pictures.

    Args:
        actual: the class that each picture shows.
        champion, challenger: what each says, in the same order.
        good_class: the class that passes.
        random_state: of the bootstrap.

    Raises:
        ModelError: there are no pictures, or the lengths differ.
    """
    n = len(actual)
    lengths = {len(part) for o in (champion, challenger) for part in (o.choices, o.verdicts)}
    if not n or lengths != {n}:
        raise ModelError(f"{n} pictures cannot be compared by opinions on {sorted(lengths)}")
    names = sorted({*actual, *_named(champion), *_named(challenger)})
    codes = {name: index for index, name in enumerate(names)}
    truth = np.array([codes[name] for name in actual])
    old, new = (
        np.array([codes.get(choice or "", -1) for choice in opinion.choices])
        for opinion in (champion, challenger)
    )
    right_old, right_new = old == truth, new == truth
    b, c = int((right_old & ~right_new).sum()), int((~right_old & right_new).sum())
    f1_old, f1_new = macro_f1(truth, old, len(names)), macro_f1(truth, new, len(names))
    return Figures(
        pictures=n,
        champion=_scores(actual, champion, right_old, f1_old, good_class),
        challenger=_scores(actual, challenger, right_new, f1_new, good_class),
        only_champion=b,
        only_challenger=c,
        mcnemar_p=mcnemar(b, c),
        macro_f1_difference=f1_new - f1_old,
        macro_f1_interval=bootstrap_interval(truth, old, new, len(names), random_state),
        classes=tuple(
            _class_loss(name, truth == codes[name], right_old, right_new)
            for name in sorted(set(actual))
        ),
    )


def mcnemar(b: int, c: int) -> float:
    """The two-sided exact McNemar test: b and c are fair coin tosses where models do not differ.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157, with the binomial distribution itself in
    place of chi-squared; equal to `scipy.stats.binomtest(b, b + c).pvalue`.
    """
    n = b + c
    tail: int = sum(comb(n, i) for i in range(min(b, c) + 1))
    return min(1.0, 2 * tail / (1 << n))


def macro_f1(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64], k: int) -> float:
    """Mean F1 of the classes that occur in `truth`; -1 in `said` is no class."""
    counts = np.bincount(truth, minlength=k)
    right = np.bincount(truth[truth == said], minlength=k)
    total = counts + np.bincount(said[said >= 0], minlength=k)
    occur = counts > 0
    return float(np.mean(2 * right[occur] / total[occur]))


def bootstrap_interval(
    truth: npt.NDArray[np.int64],
    old: npt.NDArray[np.int64],
    new: npt.NDArray[np.int64],
    k: int,
    random_state: int,
) -> tuple[float, float]:
    """95 % percentile interval of macro F1 (new) − macro F1 (old), paired, drawn class by class.

    Source: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 8
    (stratified draws).
    """
    rng = np.random.default_rng(random_state)
    # Pictures of the same class that were told the same are one cell: drawing pictures class by
    # class is drawing the cells' counts, and costs the cells, not the pictures.
    cells, counts = np.unique(np.stack([truth, old, new], axis=1), axis=0, return_counts=True)
    drawn = np.empty((RESAMPLES, len(cells)))
    for code in np.unique(truth):
        mine = cells[:, 0] == code
        n = counts[mine].sum()
        drawn[:, mine] = rng.multinomial(n, counts[mine] / n, size=RESAMPLES)
    f1 = [_drawn_macro_f1(drawn, cells[:, 0], said, k) for said in (cells[:, 1], cells[:, 2])]
    low, high = np.percentile(f1[1] - f1[0], [2.5, 97.5])
    return float(low), float(high)


def _drawn_macro_f1(drawn: Floats, truth: Codes, said: Codes, k: int) -> Floats:
    """Macro F1 of each resample, float64 [r], from how often it drew each cell, [r, cells]."""
    actual, named = np.eye(k)[truth], np.where(said[:, None] >= 0, np.eye(k)[said], 0.0)
    right = drawn @ (actual * named)
    total = drawn @ actual + drawn @ named
    occur = np.flatnonzero(actual.any(axis=0))
    mean: Floats = (2 * right[:, occur] / total[:, occur]).mean(axis=1)
    return mean


def _named(opinion: Opinion) -> set[str]:
    return {choice for choice in opinion.choices if choice is not None}


def _scores(
    actual: Sequence[str], opinion: Opinion, right: Bools, f1: float, good_class: str | None
) -> dict[str, float]:
    pairs = list(zip(actual, opinion.verdicts, strict=True))
    escapes = sum(name != good_class and v is Verdict.PASS for name, v in pairs)
    overkill = sum(name == good_class and v is Verdict.DEFECT for name, v in pairs)
    review = sum(v is Verdict.REVIEW for _, v in pairs)
    return {
        "accuracy": float(right.mean()),
        "macro_f1": f1,
        "escapes": escapes,
        "overkill": overkill,
        "review_rate": review / len(pairs),
    }


def _class_loss(name: str, mine: Bools, right_old: Bools, right_new: Bools) -> ClassLoss:
    support, before = int(mine.sum()), int((mine & right_old).sum())
    interval = wilson_interval(before, support)
    assert interval is not None  # a class that occurs has pictures
    return ClassLoss(
        class_code=name,
        support=support,
        champion_recall=before / support,
        challenger_recall=int((mine & right_new).sum()) / support,
        floor=interval[0],
    )
