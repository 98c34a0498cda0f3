"""From cross-validated probabilities to the rules a model is put to work with.

One call: calibration, the review threshold, conformal sets, cost borders and novelty, each as the
policy asks. `docs/verdicts.md` says what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.heads.blas import one_blas_thread
from model_store.heads.head import Head
from model_store.novelty import novelty
from model_store.novelty.distances import Distances
from model_store.novelty.novelty import Novelty
from model_store.novelty.one_class import OneClass, UnlikeGood
from model_store.novelty.patch_memory import FittedMemory
from model_store.novelty.unlike_good import GoodPatches, UnlikeGoodRules, fit_unlike_good
from model_store.promise.promised import alone_from, promise_of
from model_store.validation.crossval import CrossValidation
from model_store.verdicts import calibration, conformal, costs, risk
from model_store.verdicts.calibration import Ints
from model_store.verdicts.costs import VerdictCounts
from model_store.verdicts.decision_report import DecisionReport
from model_store.verdicts.policy import Policy
from model_store.verdicts.verdict import Thresholds, judge
from quality.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A head with its rules, and what they did to pictures it had not seen, where that is known."""

    head: Head
    thresholds: Thresholds
    novelty: Novelty | None
    report: DecisionReport | None
    one_class: OneClass | None = None
    memory: FittedMemory | None = None

    @property
    def unlike_good(self) -> UnlikeGood | None:
        """What the rule against parts unlike good costs; None where there is none."""
        return None if self.one_class is None else self.one_class.cost


def decide(
    head: Head,
    validation: CrossValidation,
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    good_class: str | None,
    policy: Policy,
    even: bool = False,
    patches: GoodPatches | None = None,
) -> Decided:
    """Calibrate a head and set its thresholds.

    Args:
        head: fitted on all pictures.
        validation: of the same pictures, in the same order.
        features: float [n, d].
        labels: n class names.
        good_class: the class that passes, or None.
        policy: what the plant wants.
        even: whether good counted as much as all defects in the fits; see `fit.even_weights`.
        patches: the places of good pictures, where they were looked at.
    """
    tested = validation.tested
    actual = np.searchsorted(np.asarray(validation.classes), np.asarray(labels)[tested])
    raw, parts = validation.probabilities[tested], validation.parts[tested]
    good = validation.classes.index(good_class) if good_class in validation.classes else None
    prior, weights = _prior(actual, good, even)
    found = calibration.calibrate(raw, actual, parts, weights)
    shares = calibration.tempered(raw, found.temperature)
    crossed = raw
    if found.temperature != 1:
        crossed = calibration.cross_fitted(raw, actual, parts, weights)
    ranked = risk.ranked(shares, actual, good)
    measure, distances, border = _novelty(features, labels, policy.novelty_rate, validation.parts)
    unlike = _unlike_good(features, labels, good_class, policy, validation.parts, patches)
    one_class, memory = unlike.one_class, unlike.memory
    others = _thresholds(shares, actual, validation.classes, ranked, policy, prior)
    promise = promise_of(
        crossed, actual, validation.classes, good, parts, prior, others=others, policy=policy
    )
    thresholds = others.model_copy(
        update={
            "novel_above": border,
            "unlike_good_above": None if one_class is None else one_class.border,
            "patches_above": None if memory is None else memory.border,
            "alone_from": alone_from(promise, policy),
            "prior_log_odds": None if promise is None else prior,
        }
    )
    far = Distances(distances[tested], unlike.from_good[tested], unlike.from_patches[tested])
    counts = _counts(shares, actual, validation.classes, good, thresholds, far)
    promised = thresholds.least_probabilities
    return Decided(
        head=calibration.calibrated(head, found.temperature),
        thresholds=thresholds,
        novelty=measure,
        one_class=one_class,
        memory=memory,
        report=DecisionReport(
            calibration=found,
            without_review=risk.operating_point(ranked, 0.0),
            with_review=risk.operating_point(ranked, thresholds.review_below),
            curve=tuple(risk.risk_coverage(ranked)),
            good=counts[0],
            defects=counts[1],
            promise=promise,
            novelty_rate=None if measure is None else policy.novelty_rate,
            unpromised=()
            if promised is None
            else tuple(name for name in validation.classes if name not in promised),
        ),
    )


def _prior(actual: Ints, good: int | None, even: bool) -> tuple[float | None, Floats | None]:
    """The log odds of good that the model was fitted on, and what each picture weighed in it."""
    fine = actual == good
    count, every = int(fine.sum()), len(actual)
    if good is None or count in (0, every):
        return None, None
    if even:
        return 0.0, np.where(fine, every / (2 * count), every / (2 * (every - count)))
    return log(count / (every - count)), None


def _thresholds(
    shares: Floats,
    actual: Ints,
    classes: Sequence[str],
    parts: risk.RankedParts,
    policy: Policy,
    prior: float | None,
) -> Thresholds:
    """Every rule but novelty and the promise."""
    borders = None
    if policy.costs is not None and prior is not None:
        borders = costs.cheapest_borders(policy.costs, 1 / (1 + exp(prior)))
    least = None
    if policy.conformal_alpha is not None:
        least = conformal.least_probabilities(shares, actual, classes, alpha=policy.conformal_alpha)
    return Thresholds(
        review_below=0.0 if borders else _review_below(parts, policy),
        pass_from=None if borders is None else borders.pass_from,
        defect_to=None if borders is None else borders.defect_to,
        least_probabilities=least,
    )


def _review_below(parts: risk.RankedParts, policy: Policy) -> float:
    if policy.max_escape_rate is not None:
        return risk.review_below_for_escapes(parts, policy.max_escape_rate)
    if policy.max_review_share is not None:
        return risk.review_below_for_share(parts, policy.max_review_share)
    return policy.review_below


def _novelty(
    features: npt.ArrayLike,
    labels: Sequence[str],
    rate: float | None,
    parts: npt.NDArray[np.int64],
) -> tuple[Novelty | None, Floats, float | None]:
    """The measure, each picture's distance had its part been left out, and the border."""
    unknown = np.full(len(labels), np.nan)
    if rate is None:
        return None, unknown, None
    with one_blas_thread():
        measure, distances = novelty.fit_novelty(features, labels, parts=parts)
    try:
        return measure, distances, novelty.novelty_border(distances, rate)
    except ModelError:  # too few pictures to tell what is ordinary
        return None, unknown, None


def _unlike_good(
    features: npt.ArrayLike,
    labels: Sequence[str],
    good_class: str | None,
    policy: Policy,
    parts: Ints,
    patches: GoodPatches | None,
) -> UnlikeGoodRules:
    if policy.unlike_good_rate is None or good_class is None:
        unknown = np.full(len(labels), np.nan)
        return UnlikeGoodRules(None, None, unknown, unknown)
    matrix, good = np.asarray(features, np.float64), np.asarray(labels) == good_class
    return fit_unlike_good(matrix, good, policy.unlike_good_rate, parts, patches)


def _counts(
    shares: Floats,
    actual: Ints,
    classes: Sequence[str],
    good: int | None,
    thresholds: Thresholds,
    far: Distances,
) -> tuple[VerdictCounts, VerdictCounts]:
    """How the good parts and the defects are judged, under all rules."""
    verdicts = [
        judge(
            row.tolist(),
            classes=classes,
            good_class=None if good is None else classes[good],
            thresholds=thresholds,
            distance=distance if distance is not None and np.isfinite(distance) else None,
            from_good=from_good if from_good is not None and np.isfinite(from_good) else None,
            patches=patches,
        ).verdict
        for row, (distance, from_good, patches) in zip(shares, far.rows(len(shares)), strict=True)
    ]
    is_good = (actual == good).tolist()
    return (
        VerdictCounts.of(v for v, fine in zip(verdicts, is_good, strict=True) if fine),
        VerdictCounts.of(v for v, fine in zip(verdicts, is_good, strict=True) if not fine),
    )
