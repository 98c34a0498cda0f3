"""From probabilities to a verdict. Pure rules, with thresholds that are stored beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from linewatch.errors import ModelError
from model_store.promise.pass_score import log_odds
from producer.contract import Reason, Verdict

Probability = Annotated[float, Field(ge=0, le=1)]


# Rules that need a measure of how far a part lies from what the model has seen.
BY_DISTANCE = ("novel_above", "unlike_good_above", "patches_above")


class Thresholds(BaseModel):
    """Where the rules draw their lines. A rule whose field is None does not apply."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    review_below: Probability = 0.5  # of the first choice; not used where `pass_from` is set
    pass_from: Probability | None = None  # P(good) from which a part passes, see `costs`
    defect_to: Probability | None = None  # P(good) up to which it is a defect
    least_probabilities: dict[str, Probability] | None = None  # see `conformal`
    novel_above: float | None = Field(default=None, gt=0)  # distance, see model_store.novelty
    unlike_good_above: float | None = Field(default=None, gt=0)  # or it does not pass
    patches_above: float | None = Field(default=None, gt=0)  # likewise, of its farthest places
    alone_from: float | None = None  # score, see `model_store.promise.promise`
    prior_log_odds: float | None = None  # of good among the labels; taken off P(good)'s for it
    proposes: Literal[True] | None = None  # whatever it says, a person decides

    @model_serializer(mode="wrap")
    def _without_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is None: manifests older than a rule keep their digest."""
        return {name: value for name, value in handler(self).items() if value is not None}


class Judgement(NamedTuple):
    """A verdict, the first choice of class with its probability, and why a person should look."""

    verdict: Verdict
    defect_class: str | None
    confidence: float | None
    reason: Reason | None


def of_damaged(judgement: Judgement) -> Judgement:
    """What becomes of a judgement whose picture is damaged: a person looks at the part.

    The model saw pixels that no camera took. Neither may they pass a part, nor is what it took for
    a defect more than the damage, perhaps. Its class and probability stay, to tell where it looked.
    """
    if judgement.reason in (Reason.NOT_FINITE, Reason.NO_MODEL):
        return judgement
    return judgement._replace(verdict=Verdict.REVIEW, reason=Reason.DAMAGED)


def judge(
    probabilities: Sequence[float] | Mapping[str, float],
    *,
    classes: Sequence[str],
    good_class: str | None,
    thresholds: Thresholds,
    distance: float | None = None,
    from_good: float | None = None,
    patches: float | None = None,
) -> Judgement:
    """Judge one part.

    Args:
        probabilities: in the order of `classes`, or by class.
        classes: the model's classes.
        good_class: the class that passes; None where every class is a defect.
        thresholds: stored beside the model.
        distance: from what the model has seen, where the model measures it.
        from_good: distance from the good parts alone, likewise. What lies beyond its border does
            not pass; what is taken for a defect stays one.
        patches: how far its farthest places lie from those of good parts; likewise.

    Raises:
        ModelError: there is not one probability a class.
    """
    shares = _in_order(probabilities, classes)
    if not all(isfinite(share) for share in shares):
        return Judgement(Verdict.REVIEW, None, None, Reason.NOT_FINITE)
    best = max(range(len(shares)), key=shares.__getitem__)
    name, confidence = classes[best], shares[best] if len(classes) > 1 else None
    if _beyond(distance, thresholds.novel_above):
        return Judgement(Verdict.REVIEW, name, confidence, Reason.NOVEL)
    chosen = None if thresholds.proposes else choice(shares, classes, good_class, thresholds)
    if (
        chosen is None
        or not _promised(shares, classes, chosen, good_class, thresholds)
        or not _alone(shares, classes, chosen, thresholds.least_probabilities)
    ):
        return Judgement(Verdict.REVIEW, name, confidence, Reason.UNCERTAIN)
    sure = confidence and shares[chosen]  # of one class alone, no probability says anything
    if classes[chosen] != good_class:
        return Judgement(Verdict.DEFECT, classes[chosen], sure, None)
    if _beyond(from_good, thresholds.unlike_good_above) or _beyond(
        patches, thresholds.patches_above
    ):
        return Judgement(Verdict.REVIEW, name, confidence, Reason.NOVEL)
    return Judgement(Verdict.PASS, classes[chosen], sure, None)


def _beyond(distance: float | None, border: float | None) -> bool:
    """Whether a part lies beyond a border; NaN does."""
    return border is not None and distance is not None and not distance <= border


def choice(
    shares: Sequence[float], classes: Sequence[str], good_class: str | None, borders: Thresholds
) -> int | None:
    """Which class the part is taken for before any promise; None where a person should say."""
    best = max(range(len(shares)), key=shares.__getitem__)
    if good_class is None or good_class not in classes:
        return best if shares[best] >= borders.review_below else None
    if borders.pass_from is None or borders.defect_to is None:
        return best if shares[best] >= borders.review_below else None
    good = list(classes).index(good_class)
    if shares[good] >= borders.pass_from:
        return good
    if shares[good] > borders.defect_to:
        return None
    return max((i for i in range(len(shares)) if i != good), key=shares.__getitem__)


def _promised(
    shares: Sequence[float],
    classes: Sequence[str],
    chosen: int,
    good_class: str | None,
    borders: Thresholds,
) -> bool:
    """Whether the promise covers the choice; it is about parts that pass, where any may."""
    if borders.alone_from is None or (good_class in classes and classes[chosen] != good_class):
        return True
    return log_odds(shares, chosen) - (borders.prior_log_odds or 0.0) >= borders.alone_from


def _alone(
    shares: Sequence[float], classes: Sequence[str], chosen: int, least: Mapping[str, float] | None
) -> bool:
    """Whether the conformal set holds the chosen class and no other.

    A class without a promise is in no set; where one is chosen, the set says nothing.
    """
    if least is None or classes[chosen] not in least:
        return True
    members = [
        index
        for index, name in enumerate(classes)
        if name in least and shares[index] >= least[name]
    ]
    return members == [chosen]


def _in_order(
    probabilities: Sequence[float] | Mapping[str, float], classes: Sequence[str]
) -> Sequence[float]:
    if isinstance(probabilities, Mapping):
        if set(probabilities) != set(classes):
            raise ModelError("the probabilities name other classes than the model's")
        return [probabilities[name] for name in classes]
    if len(probabilities) != len(classes) or not classes:
        raise ModelError(f"{len(probabilities)} probabilities for {len(classes)} classes")
    return probabilities
