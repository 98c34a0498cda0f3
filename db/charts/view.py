"""A chart as people look at it: its points, its limits, and what must be known of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from sqlalchemy import Connection, Engine

from db.charts.baselines import FrozenBaseline, in_force
from db.charts.chart import Chart
from db.charts.points import ChartPoint, points_of_gaps, points_of_subgroups
from db.charts.signals import raised
from db.charts.subgroups import Subgroups, class_has_left, slices, subgroups
from db.session import reading
from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.rule_choice import RuleChoice, rules_for
from quality.charts.subgroups import trial

_EMPTY = RuleChoice(())


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart.

    Attributes:
        frozen: the baseline in force; None: none is, and limits are trial limits.
        baseline: what the limits are from; None: there are too few parts for any.
        notes: sentences.
    """

    chart: Chart
    frozen: FrozenBaseline | None
    baseline: Baseline | None
    points: tuple[ChartPoint, ...]
    notes: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """Which chart; a p chart where there are no limits."""
        return Kind.P if self.baseline is None else self.baseline.kind


def chart_view(
    engine: Engine,
    chart: Chart,
    since: datetime | None,
    until: datetime | None,
    *,
    timezone: tzinfo,
    now: datetime,
) -> ChartView:
    """A chart's points; from the end of its baseline on where nobody says since when.

    Raises:
        ReportError: see `subgroups`.
    """
    with reading(engine) as connection:
        frozen = in_force(connection, chart)
        if frozen is not None and since is None:
            since = frozen.to_at
        found = subgroups(connection, chart, since, until, timezone=timezone, now=now)
        notes = list(_notes(connection, chart, found))
        known = raised(connection, frozen) if frozen is not None else frozenset()
    # A transaction may be idle for seconds only, and limits of a year's hours take longer.
    baseline, rules, why = _limits(frozen, found)
    if baseline is not None and baseline.kind is Kind.G:
        with reading(engine) as connection:
            parts = slices(connection, chart, since, until, timezone=timezone)
        last = now if until is None else min(now, until)
        points = points_of_gaps(parts, baseline, rules.rules, last)
    else:
        points = points_of_subgroups(found.whole, baseline, rules.rules)
    kept: dict[str, list[str]] = {}
    for name, rule in sorted(known):
        kept.setdefault(name, []).append(rule)
    points = [
        replace(one, raised=tuple(kept[one.name])) if one.name in kept else one for one in points
    ]
    notes = [why, *filter(None, [rules.why]), *notes]
    return ChartView(chart, frozen, baseline, tuple(points), tuple(notes))


def _limits(
    frozen: FrozenBaseline | None, found: Subgroups
) -> tuple[Baseline | None, RuleChoice, str]:
    if frozen is not None:
        made = frozen.baseline
        why = (
            f"limits of the baseline that {frozen.frozen_by} froze on {frozen.frozen_at:%Y-%m-%d}: "
            f"{made.subgroups} subgroups, {made.rate:.2%} of {made.parts} parts"
        )
        return made, frozen.rules, why
    if not found.whole:
        return None, _EMPTY, "no subgroup is over in this time"
    try:
        made = trial(found.whole)
    except ValueError as error:
        return None, _EMPTY, f"{error}"
    why = (
        f"trial limits, from the decided parts of these {made.subgroups} subgroups: "
        "`linewatch chart freeze` makes a baseline"
    )
    return made, rules_for(made), why


def _notes(connection: Connection, chart: Chart, found: Subgroups) -> list[str]:
    notes = list(found.notes)
    if found.left_out:
        some = "one subgroup is" if found.left_out == 1 else f"{found.left_out} subgroups are"
        notes.append(f"{some} not over yet, or only partly in this time: left out")
    if class_has_left(connection, chart):
        notes.append(
            f"{chart.class_code} is no class of {chart.product} any more: nothing new is raised"
        )
    if chart.by == "n":
        notes.append("a subgroup ends with the quarter hour in which its last part was made")
    return notes
