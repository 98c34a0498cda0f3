"""How a chart's points are distributed while its process is as in the baseline. Pure.

p: binomial. p′: beta-binomial with the variance that σ_z says; where σ_z is below 1 it cannot be
one, and the binomial is drawn together to it. g: geometric.
"""

from __future__ import annotations

from math import ceil, exp, floor, lgamma, log, log1p
from typing import Any

from quality.charts.attribute_charts import Baseline, Kind

LEAST_TOTAL = 0.01  # of a + b: all parts of a subgroup are alike
_SAME = 1e-9


def sides(baseline: Baseline) -> tuple[float, float]:
    """The chances of a point below and of one above the centre line, for a usual subgroup.

    Summed from the distribution itself, so that points on the line are on neither side.
    """
    if baseline.kind is Kind.G:
        mean, good = baseline.mean_gap, log1p(-baseline.rate)
        return 1 - exp(good * ceil(mean)), exp(good * (floor(mean) + 1))
    parts = baseline.usual_parts
    centre = baseline.rate * parts
    nearest = round(centre)
    on_line = abs(centre - nearest) < _SAME
    fewer = nearest if on_line else ceil(centre)
    below = sum(_chance(baseline, parts, count) for count in range(fewer))
    return below, 1 - below - (_chance(baseline, parts, nearest) if on_line else 0.0)


def beta_total(baseline: Baseline, parts: Any) -> Any:
    """a + b of the beta distribution from which a subgroup's rate is drawn where σ_z is above 1.

    With it the share of nonconforming parts has σ_z times a binomial's deviation. It is 0 or less
    where no distribution varies so much.

    Args:
        parts: of the subgroup; a number or an array, and so is what is returned.
    """
    return (parts - baseline.sigma_z**2) / (baseline.sigma_z**2 - 1)


def _chance(baseline: Baseline, parts: int, count: int) -> float:
    """Of so many nonconforming ones in a subgroup."""
    ways = lgamma(parts + 1) - lgamma(count + 1) - lgamma(parts - count + 1)
    p = baseline.rate
    if baseline.sigma_z <= 1:
        return exp(ways + count * log(p) + (parts - count) * log1p(-p))
    total = max(beta_total(baseline, parts), LEAST_TOTAL)
    a, b = p * total, (1 - p) * total
    return exp(ways + _log_beta(count + a, parts - count + b) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
