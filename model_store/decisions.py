"""From cross-validated probabilities to the rules a model is put to work with.

One call: calibration, the review threshold, conformal sets, cost borders and novelty, each as the
policy asks. `docs/verdicts.md` says what they mean.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from linewatch.products import Costs
from linewatch.settings import Settings
from model_store import calibration, conformal, costs, novelty, risk
from model_store.blas import one_blas_thread
from model_store.calibration import Ints
from model_store.costs import VerdictCounts
from model_store.crossval import CrossValidation
from model_store.decision_report import DecisionReport
from model_store.distances import Distances
from model_store.head import Head
from model_store.novelty import Novelty
from model_store.one_class import OneClass, UnlikeGood, fit_one_class
from model_store.verdict import Thresholds, judge
from quality.arrays import Floats


@dataclass(frozen=True, slots=True)
class Policy:
    """What the plant wants. A rule whose field is None is not used.

    Attributes:
        review_below: the review threshold, where neither target chooses it.
        max_escape_rate: as few reviews as keep the share of defects that pass at most this.
        max_review_share: as few escapes as this share of parts sent to a person allows.
        conformal_alpha: a part may be left out of its own class's set with this probability.
        novelty_rate: share of ordinary parts that may be called novel.
        unlike_good_rate: share of good parts that may be called unlike the good ones.
        costs: they set the borders instead of the review threshold.
    """

    review_below: float = 0.5
    max_escape_rate: float | None = None
    max_review_share: float | None = None
    conformal_alpha: float | None = None
    novelty_rate: float | None = None
    unlike_good_rate: float | None = None
    costs: Costs | None = None

    @classmethod
    def of(cls, settings: Settings, product_costs: Costs | None) -> Policy:
        """The policy for a product: its own costs come before the plant's."""
        return cls(
            review_below=settings.review_below,
            max_escape_rate=settings.review_max_escape_rate,
            max_review_share=settings.review_max_share,
            conformal_alpha=settings.conformal_alpha,
            novelty_rate=settings.novelty_rate or None,
            unlike_good_rate=settings.unlike_good_rate or None,
            costs=product_costs or settings.costs,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A head with its rules, and what they did to pictures it had not seen, where that is known."""

    head: Head
    thresholds: Thresholds
    novelty: Novelty | None
    report: DecisionReport | None
    one_class: OneClass | None = None

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
    groups: Sequence[Hashable] | None = None,
) -> Decided:
    """Calibrate a head and set its thresholds.

    Args:
        head: fitted on all pictures.
        validation: of the same pictures, in the same order.
        features: float [n, d].
        labels: n class names.
        good_class: the class that passes, or None.
        policy: what the plant wants.
        groups: which part each picture shows; None: each another one.
    """
    tested = validation.tested
    actual = np.searchsorted(np.asarray(validation.classes), np.asarray(labels)[tested])
    found = calibration.calibrate(validation.probabilities[tested], actual)
    shares = calibration.tempered(validation.probabilities[tested], found.temperature)
    good = validation.classes.index(good_class) if good_class in validation.classes else None
    parts = risk.ranked(shares, actual, good)
    measure, distances, border = _novelty(features, labels, policy.novelty_rate)
    thresholds = _thresholds(shares, actual, validation.classes, good, parts, policy, border)
    one_class, from_good = _one_class(features, labels, good_class, policy, groups)
    if one_class is not None:
        thresholds = thresholds.model_copy(update={"unlike_good_above": one_class.border})
    far = Distances(distances[tested], from_good[tested])
    counts = _counts(shares, actual, validation.classes, good, thresholds, far)
    promised = thresholds.least_probabilities
    return Decided(
        head=calibration.calibrated(head, found.temperature),
        thresholds=thresholds,
        novelty=measure,
        one_class=one_class,
        report=DecisionReport(
            calibration=found,
            without_review=risk.operating_point(parts, 0.0),
            with_review=risk.operating_point(parts, thresholds.review_below),
            curve=tuple(risk.risk_coverage(parts)),
            good=counts[0],
            defects=counts[1],
            novelty_rate=None if measure is None else policy.novelty_rate,
            unpromised=()
            if promised is None
            else tuple(name for name in validation.classes if name not in promised),
        ),
    )


def _thresholds(
    shares: Floats,
    actual: Ints,
    classes: Sequence[str],
    good: int | None,
    parts: risk.RankedParts,
    policy: Policy,
    border: float | None,
) -> Thresholds:
    borders = None
    bad = float((actual != good).mean())
    if policy.costs is not None and good is not None and 0 < bad < 1:
        borders = costs.cheapest_borders(policy.costs, bad)
    least = None
    if policy.conformal_alpha is not None:
        least = conformal.least_probabilities(shares, actual, classes, alpha=policy.conformal_alpha)
    return Thresholds(
        review_below=0.0 if borders else _review_below(parts, policy),
        pass_from=None if borders is None else borders.pass_from,
        defect_to=None if borders is None else borders.defect_to,
        least_probabilities=least,
        novel_above=border,
    )


def _review_below(parts: risk.RankedParts, policy: Policy) -> float:
    if policy.max_escape_rate is not None:
        return risk.review_below_for_escapes(parts, policy.max_escape_rate)
    if policy.max_review_share is not None:
        return risk.review_below_for_share(parts, policy.max_review_share)
    return policy.review_below


def _novelty(
    features: npt.ArrayLike, labels: Sequence[str], rate: float | None
) -> tuple[Novelty | None, Floats, float | None]:
    """The measure, each picture's distance had it been left out, and the border."""
    unknown = np.full(len(labels), np.nan)
    if rate is None:
        return None, unknown, None
    with one_blas_thread():
        measure, distances = novelty.fit_novelty(features, labels)
    try:
        return measure, distances, novelty.novelty_border(distances, rate)
    except ModelError:  # too few pictures to tell what is ordinary
        return None, unknown, None


def _one_class(
    features: npt.ArrayLike,
    labels: Sequence[str],
    good_class: str | None,
    policy: Policy,
    groups: Sequence[Hashable] | None,
) -> tuple[OneClass | None, Floats]:
    """The measure of good parts, and each picture's distance, of good ones without their part."""
    names, matrix = np.asarray(labels), np.asarray(features, np.float64)
    found, mine = np.full(len(names), np.nan), names == good_class
    if policy.unlike_good_rate is None or good_class is None:
        return None, found
    parts = None if groups is None else [groups[index] for index in np.flatnonzero(mine).tolist()]
    try:
        measure = fit_one_class(matrix[mine], policy.unlike_good_rate, parts)
    except ModelError:  # too few good parts to tell what they look like
        return None, found
    found[mine] = measure.left_out
    found[~mine] = measure.measure.distances(matrix[~mine])
    return measure, found


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
        ).verdict
        for row, (distance, from_good) in zip(shares, far.rows(len(shares)), strict=True)
    ]
    is_good = (actual == good).tolist()
    return (
        VerdictCounts.of(v for v, fine in zip(verdicts, is_good, strict=True) if fine),
        VerdictCounts.of(v for v, fine in zip(verdicts, is_good, strict=True) if not fine),
    )
