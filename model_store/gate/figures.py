"""Champion and challenger on the same pictures: paired counts, tests and intervals. Pure.

Where a class is good and both say how sure they are of it, what they find is counted at the same
overkill, see `model_store.gate.equal_overkill`: a defect is found if it is stopped there and named
right. Else a picture is right if its first choice of class is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.gate.equal_overkill import TARGET, EqualOverkill, equal_overkill, good_border
from model_store.gate.own_thresholds import OwnThresholds, own_thresholds
from model_store.gate.paired import bootstrap_interval, macro_f1, mcnemar
from model_store.promise.scored_parts import Parts, ScoredParts, by_part
from producer.contract import Verdict
from quality.arrays import Floats
from quality.intervals.wilson import wilson_interval

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one model says of each picture.

    Attributes:
        choices: the most probable class.
        verdicts: by the model's own thresholds.
        scores: float64 [n], how sure it is that the picture shows a good part, on any scale; None
            where that is not known.
        kinds: the most probable class of defect, whether or not it is good; with `scores`.
    """

    choices: Sequence[str | None]
    verdicts: Sequence[Verdict]
    scores: Floats | None = None
    kinds: Sequence[str | None] = ()


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """One class: what share of its pictures each finds, and the least that the challenger may.

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
        equal: escapes at the same overkill; None where the models are not compared so.
        scored: whether they were to be; with `equal` None good parts or defects are missing.
        own: escapes by the thresholds that they serve with, where those are asked.
        only_champion, only_challenger: pictures whose class only that one told right, of defects
            at the same overkill where there is one.
        mcnemar_p: two-sided exact McNemar test of these two counts.
        macro_f1_difference: challenger minus champion.
        macro_f1_interval: its 95 % bootstrap interval over the pictures.
        classes: what became of each class, likewise.
    """

    pictures: int
    equal: EqualOverkill | None
    scored: bool
    own: OwnThresholds | None
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
    parts: Parts = None,
    target: float = TARGET,
    promised: float | None = None,
    random_state: int = 42,
) -> Figures:
    """Compare two models on the same pictures.

    Args:
        actual: the class that each picture shows.
        champion, challenger: what each says, in the same order.
        good_class: the class that passes.
        parts: n names of parts; None: each picture is one.
        target: share of the defects that may pass, see `equal_overkill`.
        promised: the highest share of the defects that the challenger's own thresholds may let
            pass; None: these are not asked.
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
    f1_old, f1_new = macro_f1(truth, old, len(names)), macro_f1(truth, new, len(names))
    scores = [
        _scores(actual, opinion, right, f1, good_class)
        for opinion, right, f1 in ((champion, right_old, f1_old), (challenger, right_new, f1_new))
    ]
    equal, asked, before, after = None, np.ones(n, bool), champion.scores, challenger.scores
    scored = good_class is not None and before is not None and after is not None
    if good_class is not None and before is not None and after is not None:
        bad = np.array([name != good_class for name in actual])
        one, other = by_part(before, bad, parts), by_part(after, bad, parts)
        equal = equal_overkill(one.scores, other.scores, one.bad, target=target)
        asked = bad if equal is not None else ~asked
        if equal is not None:
            right_old = _found(champion, actual, before, one, equal.overkill)
            right_new = _found(challenger, actual, after, other, equal.overkill)
    right_old, right_new = right_old & asked, right_new & asked
    b, c = int((right_old & ~right_new).sum()), int((~right_old & right_new).sum())
    return Figures(
        pictures=n,
        equal=equal,
        scored=scored,
        own=_own(actual, champion, challenger, good_class, promised),
        champion=scores[0],
        challenger=scores[1],
        only_champion=b,
        only_challenger=c,
        mcnemar_p=mcnemar(b, c),
        macro_f1_difference=f1_new - f1_old,
        macro_f1_interval=bootstrap_interval(truth, old, new, len(names), random_state),
        classes=tuple(
            _class_loss(name, truth == codes[name], right_old, right_new)
            for name in sorted({name for name, it in zip(actual, asked, strict=True) if it})
        ),
    )


def _own(
    actual: Sequence[str],
    champion: Opinion,
    challenger: Opinion,
    good_class: str | None,
    promised: float | None,
) -> OwnThresholds | None:
    if good_class is None or promised is None:
        return None
    rows = [row for row, name in enumerate(actual) if name != good_class]
    old, new = ([opinion.verdicts[row] for row in rows] for opinion in (champion, challenger))
    return own_thresholds(old, new, promised)


def _found(
    opinion: Opinion, actual: Sequence[str], scores: Floats, parts: ScoredParts, overkill: float
) -> Bools:
    """Which pictures are stopped and named right, where a share `overkill` of good parts is."""
    border = good_border(parts.scores[~parts.bad], overkill)
    named = [kind == name for kind, name in zip(opinion.kinds, actual, strict=True)]
    return np.asarray(named) & (scores <= border)


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
