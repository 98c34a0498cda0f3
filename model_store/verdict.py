"""From probabilities to a verdict. Pure rules, with thresholds that are stored beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from linewatch.errors import ModelError
from producer.contract import Reason, Verdict


class Thresholds(BaseModel):
    """Where the rules draw their lines."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    review_below: float = Field(default=0.5, ge=0, le=1)  # probability of the first choice


class Judgement(NamedTuple):
    """A verdict, the first choice of class with its probability, and why a person should look."""

    verdict: Verdict
    defect_class: str | None
    confidence: float | None
    reason: Reason | None


def judge(
    probabilities: Sequence[float] | Mapping[str, float],
    *,
    classes: Sequence[str],
    good_class: str | None,
    thresholds: Thresholds,
) -> Judgement:
    """Judge one part.

    Args:
        probabilities: in the order of `classes`, or by class.
        classes: the model's classes.
        good_class: the class that passes; None where every class is a defect.
        thresholds: stored beside the model.

    Raises:
        ModelError: there is not one probability a class.
    """
    shares = _in_order(probabilities, classes)
    if not all(isfinite(share) for share in shares):
        return Judgement(Verdict.REVIEW, None, None, Reason.NOT_FINITE)
    best = max(range(len(shares)), key=shares.__getitem__)
    name, confidence = classes[best], shares[best]
    if confidence < thresholds.review_below:
        return Judgement(Verdict.REVIEW, name, confidence, Reason.UNCERTAIN)
    verdict = Verdict.PASS if name == good_class else Verdict.DEFECT
    return Judgement(verdict, name, confidence, None)


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
