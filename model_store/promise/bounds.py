"""What a number of escapes among a number of defects proves. Pure, and exact.

A rate is refuted where so few escapes, or fewer, would be too rare under it.
"""

from __future__ import annotations

from functools import lru_cache

from quality.intervals.exact import beta_cumulative, beta_quantile


@lru_cache(maxsize=256)
def allowed_escapes(defects: int, target: float, confidence: float) -> int | None:
    """How many of so many defects may have passed where a rate above `target` is refuted.

    None where not even 0 refute it.
    """
    allowed = None
    for escapes in range(defects):
        if tail(escapes, defects, target) > 1 - confidence:
            break
        allowed = escapes
    return allowed


@lru_cache(maxsize=256)
def needed(target: float, confidence: float) -> int:
    """The least number of defects that promises `target` where none of them passes."""
    high = 1
    while tail(0, high, target) > 1 - confidence:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail(0, middle, target) <= 1 - confidence else (middle, high)
    return high


@lru_cache(maxsize=4096)
def upper_bound(escapes: int, defects: int, confidence: float) -> float:
    """The highest rate that so many escapes do not refute, one-sided; 1 without defects.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404-413.
    """
    if escapes >= defects:
        return 1.0
    return beta_quantile(confidence, escapes + 1, defects - escapes)


def tail(escapes: int, defects: int, rate: float) -> float:
    """P(Binomial(defects, rate) ≤ escapes)."""
    return 1.0 if escapes >= defects else beta_cumulative(1 - rate, defects - escapes, escapes + 1)
