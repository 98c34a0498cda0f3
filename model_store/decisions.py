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
from model_store import calibration, conformal, costs, novelty, risk
from model_store.blas import one_blas_thread
from model_store.calibration import Ints
from model_store.costs import VerdictCounts
from model_store.crossval import CrossValidation
from model_store.decision_report import DecisionReport
from model_store.head import Head
from model_store.novelty import Novelty
from model_store.policy import Policy
from model_store.promised import alone_from, promise_of
from model_store.verdict import Thresholds, judge
from quality.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A head with its rules, and what they did to pictures it had not seen, where that is known."""

    head: Head
    thresholds: Thresholds
    novelty: Novelty | None
    report: DecisionReport | None


def decide(
    head: Head,
    validation: CrossValidation,
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    good_class: str | None,
    policy: Policy,
    even: bool = False,
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
    others = _thresholds(shares, actual, validation.classes, ranked, policy, prior)
    promise = promise_of(
        crossed, actual, validation.classes, good, parts, prior, others=others, policy=policy
    )
    thresholds = others.model_copy(
        update={
            "novel_above": border,
            "alone_from": alone_from(promise, policy),
            "prior_log_odds": None if promise is None else prior,
        }
    )
    counts = _counts(shares, actual, validation.classes, good, thresholds, distances[tested])
    promised = thresholds.least_probabilities
    return Decided(
        head=calibration.calibrated(head, found.temperature),
        thresholds=thresholds,
        novelty=measure,
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


def _counts(
    shares: Floats,
    actual: Ints,
    classes: Sequence[str],
    good: int | None,
    thresholds: Thresholds,
    distances: Floats,
) -> tuple[VerdictCounts, VerdictCounts]:
    """How the good parts and the defects are judged, under all rules."""
    verdicts = [
        judge(
            row.tolist(),
            classes=classes,
            good_class=None if good is None else classes[good],
            thresholds=thresholds,
            distance=float(distance) if np.isfinite(distance) else None,
        ).verdict
        for row, distance in zip(shares, distances, strict=True)
    ]
    is_good = (actual == good).tolist()
    return (
        VerdictCounts.of(v for v, fine in zip(verdicts, is_good, strict=True) if fine),
        VerdictCounts.of(v for v, fine in zip(verdicts, is_good, strict=True) if not fine),
    )
