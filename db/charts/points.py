"""A chart's points: its subgroups, or gaps, held against a baseline. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from quality.charts.attribute_charts import Baseline, Limits
from quality.charts.points import of_gaps, of_subgroups
from quality.charts.run_rules import Rule
from quality.charts.subgroups import TimedSubgroup, gaps


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A point with its name and counts.

    Attributes:
        parts: decided ones of a subgroup; good ones of a gap, and the part that ends it.
        value: the share of nonconforming parts, or the good parts of a gap; None: none is decided.
        provisional: open parts may still move it, so it raises nothing.
        raised: the rules of signals that were raised at it and are kept.
    """

    name: str
    starts: datetime
    ends: datetime
    parts: int
    nonconforming: int
    open: int
    value: float | None
    limits: Limits | None = None
    provisional: bool = False
    signals: tuple[Rule, ...] = ()
    raised: tuple[str, ...] = ()


def points_of_subgroups(
    subgroups: Sequence[TimedSubgroup], baseline: Baseline | None, rules: Sequence[Rule]
) -> list[ChartPoint]:
    """The points of a p or p′ chart; without a baseline they have no limits."""
    counts = [one.counts for one in subgroups]
    points = None if baseline is None else of_subgroups(baseline, counts, rules)
    return [
        ChartPoint(
            name=one.name,
            starts=one.starts,
            ends=one.ends,
            parts=one.counts.parts,
            nonconforming=one.counts.nonconforming,
            open=one.counts.open,
            value=one.counts.rate if one.counts.parts else None,
            limits=points[place].limits if points else None,
            provisional=points[place].provisional if points else one.counts.provisional,
            signals=points[place].signals if points else (),
        )
        for place, one in enumerate(subgroups)
    ]


def points_of_gaps(
    slices: Sequence[TimedSubgroup], baseline: Baseline, rules: Sequence[Rule], until: datetime
) -> list[ChartPoint]:
    """The points of a g chart: gaps that end up to `until`."""
    every = [one for one in gaps(slices) if one.ends <= until]
    points = of_gaps(baseline, [one.good for one in every], rules, [one.open for one in every])
    return [
        ChartPoint(
            name=gap.name,
            starts=gap.starts,
            ends=gap.ends,
            parts=gap.good + 1,
            nonconforming=1,
            open=gap.open,
            value=point.value,
            limits=point.limits,
            provisional=point.provisional,
            signals=point.signals,
        )
        for gap, point in zip(every, points, strict=True)
    ]
