"""Intervals for the number of nonconforming parts behind an audit sample. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, sqrt

from quality.audit.sample import Estimate, Method, Stratum, parts_of, refuse_empty
from quality.intervals.exact import number_in_lot
from quality.intervals.wilson import Z_95

FEW = 5  # audited parts of either kind: with fewer, bounds are exact
_LEAST_LOG, _MOST_LOG, _HALVINGS = -40.0, 25.0, 60  # of the search for log λ


def number_nonconforming(strata: Sequence[Stratum], method: Method) -> Estimate:
    """How many parts are nonconforming, with an interval by one method.

    Without any answer it is what the model said, with bounds that allow for anything.
    """
    if not any(one.answered for one in strata):
        return exact(strata)
    if method is Method.HORVITZ_THOMPSON:
        return horvitz_thompson(strata)
    if method is Method.PREDICTION_POWERED:
        return prediction_powered(strata)
    if method is Method.AUTO:
        found = sum(one.nonconforming for one in strata)
        good = sum(one.answered for one in strata) - found
        method = Method.EXACT if min(found, good) < FEW else Method.SCORE
    return exact(strata) if method is Method.EXACT else score(strata)


def exact(strata: Sequence[Stratum]) -> Estimate:
    """Exact bounds of each stratum's number, joined by the squares of their distances.

    Source: G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008) 1693-1702.
    """
    count = below = above = 0.0
    for one in strata:
        found = one.parts * one.rate
        low, high = number_in_lot(one.parts, one.answered, one.nonconforming)
        count += found
        below += (found - low) ** 2
        above += (high - found) ** 2
    return _bounded(strata, count - sqrt(below), count + sqrt(above), Method.EXACT)


def score(strata: Sequence[Stratum], z: float = Z_95) -> Estimate:
    """The numbers that lie within z standard deviations of what was found.

    The deviation is that of the likeliest rates which give the number in question, each stratum's
    p solving d/p − (a − d)/(1 − p) = λN for one λ: Wilson's interval where there is one stratum
    (O. S. Miettinen and M. Nurminen, Statistics in Medicine 4 (1985) 213-226, for two), with the
    variance of a sample from a finite lot. λ is found by bisection.
    """
    known = [one for one in strata if one.answered]
    unknown = parts_of(strata) - parts_of(known)
    found = sum(one.parts * one.rate for one in known)

    def bound(side: int) -> float:
        low, high = _LEAST_LOG, _MOST_LOG
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            number, variance = _restricted(known, side * exp(middle))
            if abs(found - number) <= z * sqrt(variance):
                low = middle
            else:
                high = middle
        return _restricted(known, side * exp(high))[0]

    return _bounded(strata, bound(1), bound(-1) + unknown, Method.SCORE)


def _restricted(strata: Sequence[Stratum], factor: float) -> tuple[float, float]:
    """The number of nonconforming parts at one λ, and the variance of its estimate there."""
    number = variance = 0.0
    for one in strata:
        pull = factor * one.parts
        total = one.answered + pull
        root = sqrt(max(0.0, total**2 - 4 * pull * one.nonconforming))
        p = 2 * one.nonconforming / (total + root) if total > 0 else (total - root) / (2 * pull)
        p = min(1.0, max(0.0, p))  # where rounding leads beyond
        number += one.parts * p
        left = 1 - one.answered / one.parts
        variance += one.parts**2 * p * (1 - p) * left / one.answered
    return number, variance


def _bounded(strata: Sequence[Stratum], low: float, high: float, method: Method) -> Estimate:
    """What was found is there, and what was found to be good is not."""
    count = sum(one.parts * one.rate for one in strata)
    bad = sum(one.nonconforming for one in strata)
    good = sum(one.answered for one in strata) - bad
    parts = parts_of(strata)
    low, high = max(low, bad), min(high, parts - good)
    return Estimate(count, min(low, count), max(high, count), parts, method)


def horvitz_thompson(strata: Sequence[Stratum], z: float = Z_95) -> Estimate:
    """Every nonconforming part that was found counts for 1/π parts, π its chance to be answered.

    Source: D. G. Horvitz and D. J. Thompson, JASA 47 (1952) 663-685, for Bernoulli sampling, whose
    variance is Σ (1 − π)/π². It does not use how many parts there are, and a stratum without
    answers counts nothing; `truth` does better on both.
    """
    seen = [one for one in strata if one.nonconforming]
    count = sum(one.nonconforming / one.propensity for one in seen)
    variance = sum(one.nonconforming * (1 - one.propensity) / one.propensity**2 for one in seen)
    return _normal(count, z * sqrt(variance), parts_of(strata), Method.HORVITZ_THOMPSON)


def prediction_powered(strata: Sequence[Stratum], power: float = 1.0, z: float = Z_95) -> Estimate:
    """The prediction-powered mean with one correction for all strata, as published.

    mean(λf) over all parts + weighted mean(y − λf) over the answered ones, f what the model said
    and y what people said; the weights are the inverse propensities. Source: A. N. Angelopoulos et
    al., Science 382 (2023) 669-674; with λ: A. N. Angelopoulos, J. C. Duchi and T. Zrnic,
    arXiv:2311.01453. Its interval takes the parts as drawn from an endless process.

    Args:
        power: λ; 1 is the method as first published, 0 leaves the model out.

    Raises:
        NoAuditError: no part is answered.
    """
    refuse_empty(strata)
    parts, answered = parts_of(strata), sum(one.answered for one in strata)
    share = sum(one.parts * one.predicted for one in strata) / parts
    scale = answered / sum(one.answered / one.propensity for one in strata if one.answered)
    terms = list(_corrections(strata, power, scale))
    mean = sum(times * value for times, value in terms) / answered
    spread = sum(times * (value - mean) ** 2 for times, value in terms) / answered
    variance = power**2 * share * (1 - share) / parts + spread / answered
    rate = power * share + mean
    return _normal(parts * rate, parts * z * sqrt(variance), parts, Method.PREDICTION_POWERED)


def _corrections(
    strata: Iterable[Stratum], power: float, scale: float
) -> Iterable[tuple[int, float]]:
    """How often each weighted w·(y − λf) occurs; the weights w have mean 1."""
    for one in strata:
        if one.answered:
            weight = scale / one.propensity
            yield one.nonconforming, weight * (1 - power * one.predicted)
            yield one.answered - one.nonconforming, -weight * power * one.predicted


def _normal(count: float, half: float, parts: int, method: Method) -> Estimate:
    count, low, high = (min(max(0.0, at), parts) for at in (count, count - half, count + half))
    return Estimate(count, low, high, parts, method)
