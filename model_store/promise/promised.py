"""The promise of a model that was cross-validated: its score, its threshold, what it is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_store.promise.class_errors import choose_sure
from model_store.promise.pass_score import BEYOND_ALL, NEVER
from model_store.promise.promise import Promise, choose_threshold
from model_store.promise.scored_parts import Numbers, log_odds_of
from model_store.verdicts.calibration import Ints
from model_store.verdicts.policy import Policy
from model_store.verdicts.verdict import Thresholds, choice
from quality.arrays import Floats


def promise_of(
    shares: Floats,
    actual: Ints,
    classes: Sequence[str],
    good: int | None,
    parts: Numbers,
    prior: float | None,
    *,
    others: Thresholds,
    policy: Policy,
) -> Promise | None:
    """What the labels can promise; None where nothing is asked for.

    Args:
        shares: float64 [n, k], of pictures that neither the model nor its calibration had seen.
        actual: int64 [n].
        classes: k names.
        good: index of the class that passes, or None.
        parts: int64 [n], each picture's part.
        prior: log odds of good that the model was fitted on; None without a good class.
        others: the rules in force before this one. A good part that they call a defect or send to
            a person does not pass, whatever its score; a defect that they stop is counted as if
            it could, which errs to the safe side.
        policy: the target, and with which confidence.
    """
    if policy.escape_target is None:
        return None
    asked = {"target": policy.escape_target, "confidence": policy.confidence}
    name = None if good is None else classes[good]
    said = [choice(row, classes, name, others) for row in shares.tolist()]
    chosen = np.array([-1 if one is None else one for one in said])
    if good is None:
        score = np.where(chosen < 0, NEVER, log_odds_of(shares, shares.argmax(axis=1)))
        return choose_sure(score, chosen != actual, parts, **asked)
    score = log_odds_of(shares, good) - (prior or 0.0)
    score[(chosen != good) & (actual == good)] = NEVER
    names = [classes[index] for index in actual.tolist()]
    return choose_threshold(score, actual != good, parts, **asked, classes=names)


def alone_from(promise: Promise | None, policy: Policy) -> float | None:
    """The threshold in force: none passes it where what is not proven is to be reviewed."""
    if promise is None:
        return None
    review = not promise.proven and policy.unproven == "review"
    return BEYOND_ALL if review else promise.threshold
