"""How much one rate differs from another, and how sure that is. Pure."""

from __future__ import annotations

from math import hypot

from quality.intervals.wilson import wilson_interval


def rate_difference(
    hits: int, trials: int, hits_before: int, trials_before: int
) -> tuple[float, float, float] | None:
    """The difference of two independent rates, now minus before, with its 95 % interval.

    Newcombe's hybrid score interval: each side is as far off as the two Wilson limits that make
    the difference small or large. Source: R. G. Newcombe, Statistics in Medicine 17 (1998)
    873-890, method 10.

    Returns:
        The difference, its lower and its upper limit; None where one of them has no trials.

    Raises:
        ValueError: not 0 <= hits <= trials, now or before.
    """
    now = wilson_interval(hits, trials)
    before = wilson_interval(hits_before, trials_before)
    if now is None or before is None:
        return None
    rate, rate_before = hits / trials, hits_before / trials_before
    difference = rate - rate_before
    low = difference - hypot(rate - now[0], before[1] - rate_before)
    high = difference + hypot(now[1] - rate, rate_before - before[0])
    return difference, low, high
