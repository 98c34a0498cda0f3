"""The points of a control chart: subgroups or gaps held against a frozen baseline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, nan

from quality.charts.attribute_charts import Baseline, Kind, Limits, Subgroup
from quality.charts.run_rules import SHEWHART, Rule, signals


@dataclass(frozen=True, slots=True)
class Point:
    """One point.

    Attributes:
        value: the share of nonconforming parts, or the good parts before a nonconforming one; None
            where no part is decided.
        limits: None where no part is decided.
        provisional: too many parts are open: it raises nothing until they are decided.
        signals: the rules by which it is a signal.
    """

    value: float | None
    limits: Limits | None
    provisional: bool
    signals: tuple[Rule, ...]


def undecided(baseline: Baseline, subgroup: Subgroup) -> bool:
    """Whether what is decided of its open parts may still move a subgroup's point.

    That is so where too many are open, and where it lies on one side of a limit if all are good and
    on the other if all are bad.
    """
    if subgroup.provisional:
        return True
    limits, worst = baseline.limits(subgroup.all), subgroup.nonconforming + subgroup.open
    ends = (subgroup.nonconforming / subgroup.all, worst / subgroup.all)
    return any(ends[0] < limit < ends[1] for limit in (limits.lower, limits.upper))


def undecided_gap(baseline: Baseline, good: int, open_: int) -> bool:
    """The same of a gap: an open part makes it longer if it is good, and divides it if it is bad.

    Of a gap that `open_` bad parts divide, the longest piece has at least `good` / (`open_` + 1)
    parts, rounded up.
    """
    upper = baseline.limits(1).upper
    return ceil(good / (open_ + 1)) <= upper < good + open_


def of_subgroups(
    baseline: Baseline, subgroups: Sequence[Subgroup], rules: Sequence[Rule] = SHEWHART
) -> list[Point]:
    """A p or p′ chart.

    A rule over several points that meets a provisional one holds only where it does whatever that
    one turns out to be.

    Args:
        subgroups: in order of time.

    Raises:
        ValueError: the baseline is a g chart's.
    """
    if baseline.kind is Kind.G:
        raise ValueError("a g chart has gaps as points, not subgroups")
    waits = [undecided(baseline, one) for one in subgroups]
    scores = [nan if wait else baseline.z(one) for one, wait in zip(subgroups, waits, strict=True)]
    raised = _raised(scores, rules)
    return [
        Point(
            value=one.rate if one.parts else None,
            limits=baseline.limits(one.parts) if one.parts else None,
            provisional=wait,
            signals=found,
        )
        for one, wait, found in zip(subgroups, waits, raised, strict=True)
    ]


def of_gaps(
    baseline: Baseline,
    gaps: Sequence[int],
    rules: Sequence[Rule] = SHEWHART,
    opens: Sequence[int] | None = None,
) -> list[Point]:
    """A g chart.

    Args:
        gaps: good parts before each nonconforming one, in order of time (`gaps_between`).
        opens: how many parts of each are open; None: there is none.

    Raises:
        ValueError: the baseline is no g chart's.
    """
    if baseline.kind is not Kind.G:
        raise ValueError(f"a {baseline.kind} chart has subgroups as points, not gaps")
    waits = [
        undecided_gap(baseline, gap, open_)
        for gap, open_ in zip(gaps, opens or [0] * len(gaps), strict=True)
    ]
    scores = [nan if wait else baseline.gap_z(gap) for gap, wait in zip(gaps, waits, strict=True)]
    limits = baseline.limits(1)
    return [
        Point(float(gap), limits, provisional=wait, signals=found)
        for gap, wait, found in zip(gaps, waits, _raised(scores, rules), strict=True)
    ]


def gaps_between(nonconforming: Iterable[bool]) -> list[int]:
    """The good parts before each nonconforming one, from decided parts in order of time.

    The first gap begins with the first part; what follows the last nonconforming part is none yet.
    """
    gaps: list[int] = []
    good = 0
    for bad in nonconforming:
        if bad:
            gaps.append(good)
        good = 0 if bad else good + 1
    return gaps


def _raised(scores: Sequence[float], rules: Sequence[Rule]) -> list[tuple[Rule, ...]]:
    found: list[list[Rule]] = [[] for _ in scores]
    for place, rule in signals(scores, rules):
        found[place].append(rule)
    return [tuple(rules) for rules in found]
