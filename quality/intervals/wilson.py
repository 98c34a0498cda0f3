"""How sure a rate is."""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054  # the standard normal's 97.5 % quantile


def wilson_interval(hits: int, trials: int, z: float = Z_95) -> tuple[float, float] | None:
    """The Wilson score interval of a proportion (95 % unless `z` says else); None for no trials.

    It keeps its level for rare defects and few parts, where the textbook p ± z·sqrt(p(1-p)/n) does
    not. Source: E. B. Wilson, JASA 22 (1927) 209-212; recommended for small n by Brown, Cai and
    DasGupta, Statistical Science 16 (2001) 101-133.

    Raises:
        ValueError: not 0 <= hits <= trials.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits in {trials} trials is no proportion")
    if trials == 0:
        return None
    rate = hits / trials
    scale = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z / scale * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))
