"""Freezes the baseline of a control chart, and says which chart suits the subgroups. Pure.

A baseline is frozen from at least `BASELINE_SUBGROUPS` subgroups that a person holds to be in
control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from statistics import fmean

from quality.charts.attribute_charts import SIGMAS, Baseline, Kind, Subgroup

BASELINE_SUBGROUPS = 20
RARE = 5.0  # nonconforming parts expected in a subgroup: with fewer, p charts mislead
_D2 = 1.128  # expected range of two standard normal values: Montgomery, Appendix VI, n = 2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A chart, and the sentence that says why it is this one."""

    kind: Kind
    why: str


def suggested(subgroups: Sequence[Subgroup]) -> Suggestion:
    """g where few parts are nonconforming, p′ where subgroups vary more than by chance, else p.

    More than by chance: σ_z above its own upper 3-sigma bound for subgroups that differ by chance
    alone. The variance of a mean moving range by d2 is about 0.826/k (J. D. Cryer and T. P. Ryan,
    Journal of Quality Technology 22 (1990) 187-192).

    Raises:
        ValueError: there is no subgroup, or one of them is provisional.
    """
    parts, rate = _pooled(subgroups)
    expected = rate * parts / len(subgroups)
    if expected < RARE:
        return Suggestion(Kind.G, _why_g(expected, rate))
    bound = 1 + SIGMAS * sqrt(0.826 / len(subgroups))
    sigma_z = _sigma_z(subgroups, rate) if rate < 1 else 0.0
    if sigma_z > bound:
        return Suggestion(
            Kind.LANEY,
            f"p′ chart: the subgroups vary {sigma_z:.1f} times as much as by chance alone (up to "
            f"{bound:.1f} may be chance)",
        )
    return Suggestion(
        Kind.P, f"p chart: {expected:.1f} nonconforming parts are expected in a subgroup"
    )


def _why_g(expected: float, rate: float) -> str:
    why = (
        f"g chart: {expected:.2g} nonconforming parts are expected in a subgroup, and a p chart "
        f"needs {RARE:g}"
    )
    return f"{why}: one of {ceil(RARE / rate)} parts would do" if rate else why


def baseline(subgroups: Sequence[Subgroup], kind: Kind | None = None) -> Baseline:
    """Freeze a baseline.

    Args:
        subgroups: in order of time.
        kind: of chart; None: as `suggested`.

    Raises:
        ValueError: fewer than `BASELINE_SUBGROUPS`; one of them is provisional; no part or every
            part is nonconforming; a p′ chart of subgroups that do not vary.
    """
    if len(subgroups) < BASELINE_SUBGROUPS:
        raise ValueError(
            f"a baseline needs at least {BASELINE_SUBGROUPS} subgroups; there are {len(subgroups)}"
        )
    parts, rate = _pooled(subgroups)
    if not 0 < rate < 1:
        raise ValueError(
            f"a baseline needs conforming and nonconforming parts; of {parts} parts "
            f"{'none is' if rate == 0 else 'all are'} nonconforming"
        )
    kind = kind or suggested(subgroups).kind
    sigma_z = _sigma_z(subgroups, rate) if kind is Kind.LANEY else 1.0
    if sigma_z == 0:
        raise ValueError("every subgroup lies exactly alike: no Laney chart can be drawn; use p")
    return Baseline(kind, rate, sigma_z, len(subgroups), parts)


def _pooled(subgroups: Sequence[Subgroup]) -> tuple[int, float]:
    """How many parts are decided, and p̄."""
    if not subgroups:
        raise ValueError("a chart needs subgroups; there are none in this range")
    for number, one in enumerate(subgroups, start=1):
        if one.provisional:
            raise ValueError(
                f"subgroup {number} of {len(subgroups)} has {one.open} of {one.all} parts open: a "
                "baseline is frozen from decided parts; decide them, or leave the subgroup out"
            )
    parts = sum(one.parts for one in subgroups)
    return parts, sum(one.nonconforming for one in subgroups) / parts


def _sigma_z(subgroups: Sequence[Subgroup], rate: float) -> float:
    """Laney's σ_z: the mean moving range of the subgroups' z values, by d2."""
    scores = [(one.rate - rate) / sqrt(rate * (1 - rate) / one.parts) for one in subgroups]
    ranges = [abs(after - before) for before, after in pairwise(scores)]
    return fmean(ranges) / _D2 if ranges else 1.0
