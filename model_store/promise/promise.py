"""A threshold that keeps a promise: what share of the defects may pass, and how sure that is. Pure.

A bound on the escapes at a threshold that was picked by looking at the same escapes is none. Here
thresholds are tested in a fixed order, from strict to loose, each by the hypothesis that it lets
more than the target pass; the test ends at the first that cannot be rejected, and the last one
rejected is taken. In that order no level is spent on the number of tests: P. Bauer, "Multiple
testing in clinical trials", Statistics in Medicine 10 (1991) 871-890. That a threshold so found
keeps its promise with the confidence of one test: A. N. Angelopoulos, S. Bates, E. J. Candès,
M. I. Jordan and L. Lei, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk
Control" (2021, arXiv 2110.01052).

The p-value is the binomial tail, P(Binomial(defects, target) ≤ escapes). It depends on the
threshold by the number of escapes alone, which never falls from strict to loose. So the sequence
ends where one more escapes than `allowed_escapes`, whichever thresholds are tried on the way: that
many of the highest scores of defects lie above, and the share beyond an order statistic has the
same (beta) distribution whatever the scores' is (S. S. Wilks, Annals of Mathematical Statistics 12
(1941) 91-96). Hence the guarantee does not depend on the grid: every real number is on it. What is
taken is half way from the first defect that may not pass to the next better part, which is
stricter than the sequence asks for.

With too few defects no threshold is rejected, not even one that lets none pass. The threshold then
taken is the loosest that let no labelled defect pass. That rule, too, names a fixed order
statistic, so the bound that comes with it, 1 − (1 − confidence)^(1/defects), is as good as a
promise; it is only a worse one than was asked for.

All this takes the labelled defects for a random sample of those to come, each class in its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from linewatch.errors import ModelError
from model_store.promise.bounds import allowed_escapes, needed, upper_bound
from model_store.promise.pass_score import BEYOND_ALL
from model_store.promise.scored_parts import (
    Flags,
    Numbers,
    Parts,
    by_part,
    half_way_above,
    share_of,
)


class ClassPromise(BaseModel):
    """What became of one class of defects: no promise, a figure beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    class_code: str
    parts: int = Field(ge=1)
    escapes: int = Field(ge=0)
    upper_bound: float = Field(
        ge=0, le=1, description="Of its escape rate, had the threshold been chosen without it."
    )


class Promise(BaseModel):
    """A threshold, and what it promises of parts like the labelled ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    risk: Literal["escapes", "errors"] = Field(
        description="escapes: defects that pass, of all defects. errors: wrong classes, of the "
        "parts judged without a person, where no class is good."
    )
    threshold: float = Field(description="The score from which a part needs no person.")
    target: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    proven: bool = Field(description="Whether the labels suffice for the target.")
    upper_bound: float = Field(ge=0, le=1, description="Of the risk, with that confidence.")
    counted: int = Field(ge=0, description="Defective parts, or parts judged alone.")
    escapes: int = Field(ge=0, description="How many of them went wrong at the threshold.")
    needed: int = Field(ge=1, description="How many without an escape would promise the target.")
    alone: float = Field(
        ge=0, le=1, description="Share of the good parts that pass, or of all parts judged alone."
    )
    classes: tuple[ClassPromise, ...] = ()


def choose_threshold(
    score: npt.ArrayLike,
    defect: npt.ArrayLike,
    part: Parts,
    *,
    target: float,
    confidence: float,
    classes: Sequence[str] | None = None,
) -> Promise:
    """The loosest score from which at most a share `target` of the defective parts pass.

    A part passes if each of its views does, so its worst view's score is its own; it is defective
    if one of its views is.

    Args:
        score: float [n], a picture's, from a model that had not seen its part; higher is better.
        defect: bool [n], whether the picture shows a defect.
        part: n names of parts; None: each picture is one.
        target: share of the defects that may pass, in (0, 1).
        confidence: with which the promise is to hold, in (0, 1).
        classes: n class names, for the figures by class.

    Returns:
        A part passes where its score is at least the threshold. Without any defect nothing passes.

    Raises:
        ModelError: lengths differ, a score is not finite, or a share is not in (0, 1).
    """
    scores, bad, number = by_part(score, defect, part)
    check_shares(target, confidence)
    defects = int(bad.sum())
    found = allowed_escapes(defects, target, confidence)
    allowed = 0 if found is None else found
    worst = np.sort(scores[bad])[::-1]
    threshold = half_way_above(scores, float(worst[allowed])) if defects else BEYOND_ALL
    passed = scores >= threshold
    return Promise(
        risk="escapes",
        threshold=threshold,
        target=target,
        confidence=confidence,
        proven=found is not None,
        upper_bound=upper_bound(allowed, defects, confidence),
        counted=defects,
        escapes=int((passed & bad).sum()),
        needed=needed(target, confidence),
        alone=share_of(passed, ~bad),
        classes=_by_class(passed, np.asarray(defect, bool), number, classes, confidence),
    )


def check_shares(target: float, confidence: float) -> None:
    """Raises ModelError where a share is not between 0 and 1."""
    if not (0 < target < 1 and 0 < confidence < 1):
        raise ModelError(f"target {target} and confidence {confidence} must be between 0 and 1")


def _by_class(
    passed: Flags,
    defect: Flags,
    number: Numbers,
    classes: Sequence[str] | None,
    confidence: float,
) -> tuple[ClassPromise, ...]:
    """A part with two kinds of defects counts for both."""
    if classes is None:
        return ()
    found: dict[str, set[int]] = {}
    for name, bad, part in zip(classes, defect.tolist(), number.tolist(), strict=True):
        if bad:
            found.setdefault(name, set()).add(part)
    rows = []
    for name, parts in sorted(found.items()):
        escapes = int(passed[sorted(parts)].sum())
        bound = upper_bound(escapes, len(parts), confidence)
        rows.append(
            ClassPromise(class_code=name, parts=len(parts), escapes=escapes, upper_bound=bound)
        )
    return tuple(rows)
