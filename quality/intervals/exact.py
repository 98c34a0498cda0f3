"""Exact intervals: of a proportion, and of a number within a finite lot. Pure.

An interval is *exact* where its chance to miss on either side is at most half of what the level
leaves, however few are found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log, log1p

LEVEL = 0.95
_TINY = 1e-300
_TERMS = 10_000
_SAME = 1e-15
_TIE = 1e-9


def clopper_pearson(hits: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a proportion; [0, 1] for no trials.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404-413, by quantiles of the beta
    distribution. `hits` and `trials` need not be whole: with an effective sample size it is the
    interval of E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998) 193-201.

    Raises:
        ValueError: not 0 <= hits <= trials.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits in {trials} trials is no proportion")
    tail = (1 - level) / 2
    low = beta_quantile(tail, hits, trials - hits + 1) if hits else 0.0
    high = beta_quantile(1 - tail, hits + 1, trials - hits) if hits < trials else 1.0
    return low, high


def beta_quantile(chance: float, a: float, b: float) -> float:
    """Where the beta distribution's cumulative function reaches `chance`, by bisection."""
    low, high = 0.0, 1.0
    while high - low > _SAME * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if beta_cumulative(middle, a, b) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cumulative(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b), for a and b above 0.

    Source: W. H. Press et al., Numerical Recipes, 3rd ed. (2007), 6.4: Lentz's continued fraction.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for step in (even, odd):
            d = 1 / _off_zero(1 + step * d)
            c = _off_zero(1 + step / c)
            value *= c * d
        if abs(value - before) <= _SAME * abs(value):
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=65_536)
def number_in_lot(parts: int, looked_at: int, found: int, level: float = LEVEL) -> tuple[int, int]:
    """How many of a lot's parts are nonconforming, from a simple random sample of it.

    The hypergeometric distribution's test turned around: every number is kept that does not make
    what was found too unlikely on either side (J. P. Buonaccorsi, The American Statistician 41
    (1987) 215-218).

    Args:
        parts: the lot's, those looked at included.
        looked_at: of them; 0 tells nothing.
        found: nonconforming among those looked at.

    Returns:
        The least and the greatest number, at least what was found.

    Raises:
        ValueError: not 0 <= found <= looked_at <= parts.
    """
    if not 0 <= found <= looked_at <= parts:
        raise ValueError(f"{found} found in {looked_at} of {parts} parts is no sample of a lot")
    tail = (1 - level) / 2 + _TIE  # at exactly the level it is too unlikely

    def at_most(number: int) -> float:
        return _below(parts, number, looked_at, found + 1)

    def at_least(number: int) -> float:
        return 1 - _below(parts, number, looked_at, found)

    least, most = found, parts - looked_at + found
    low = _first(least, most, lambda number: at_least(number) > tail)
    high = _first(least, most, lambda number: at_most(most + least - number) > tail)
    return low, most + least - high


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first number from `low` for which it holds, as it does from there on; else `high`."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _below(parts: int, bad: int, looked_at: int, found: int) -> float:
    """The chance of fewer than `found`: summed from there, on the side where the terms die out."""
    least, most = max(0, looked_at - parts + bad), min(bad, looked_at)
    if found <= least:
        return 0.0
    if found > most:
        return 1.0
    if found <= looked_at * bad / parts:
        return _tail(parts, bad, looked_at, found - 1, least, -1)
    return 1 - _tail(parts, bad, looked_at, found, most, 1)


def _tail(parts: int, bad: int, looked_at: int, start: int, end: int, step: int) -> float:
    term = total = _chance(parts, bad, looked_at, start)
    k = start
    while k != end and term > _SAME * total:
        odds = (bad - k) * (looked_at - k) / ((k + 1) * (parts - bad - looked_at + k + 1))
        if step < 0:
            odds = k * (parts - bad - looked_at + k) / ((bad - k + 1) * (looked_at - k + 1))
        term *= odds
        total += term
        k += step
    return total


def _chance(parts: int, bad: int, looked_at: int, found: int) -> float:
    if not max(0, looked_at - parts + bad) <= found <= min(bad, looked_at):
        return 0.0
    return exp(
        _choose(bad, found) + _choose(parts - bad, looked_at - found) - _choose(parts, looked_at)
    )


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
