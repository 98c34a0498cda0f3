"""The demonstration's shift by parts, and its control chart, as reports count them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import fields
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Engine

from db.charts.chart import Chart
from db.charts.points import points_of_subgroups
from db.charts.subgroups import LOT_OVER, subgroups
from db.charts.view import ChartView
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.part_query import PartQuery
from db.session import reading
from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.rule_choice import rules_for
from quality.charts.run_rules import Rule
from quality.charts.subgroups import trial
from quality.parts.tally import PartTally

ALL = "all lines"


def shift_tallies(
    engine: Engine, product: str, lots: Collection[str], timezone: tzinfo
) -> dict[str, PartTally]:
    """How the parts of these lots ended, by line, and on all lines together."""
    found: defaultdict[str, PartTally] = defaultdict(PartTally)
    by = ("line", "lot")
    with reading(engine) as connection:
        query = PartQuery.of(connection, PartFilters(product=product), by, timezone, by)
        for group, tally in query.tallies():
            if group["lot"] in lots:
                for line in (str(group["line"]), ALL):
                    found[line] = _sum(found[line], tally)
    return {line: found[line] for line in sorted(found, key=lambda line: (line == ALL, line))}


def shift_chart(engine: Engine, product: str, lots: Collection[str], timezone: tzinfo) -> ChartView:
    """The chart of these lots, which are taken to be over, with trial limits."""
    chart, over = Chart(product, by="lot"), datetime.now(UTC) + LOT_OVER + timedelta(hours=1)
    with reading(engine) as connection:
        found = subgroups(connection, chart, None, None, timezone=timezone, now=over)
    whole = [one for one in found.whole if one.name in lots]
    baseline: Baseline | None = None
    rules: tuple[Rule, ...] = ()
    try:
        baseline = trial(whole)
    except ValueError as error:
        why = f"{error}"
    else:
        why = f"trial limits, from the decided parts of these {len(whole)} lots"
    if baseline is not None and baseline.kind is Kind.G:
        baseline, why = None, "too few parts are nonconforming for the limits of a p chart of lots"
    if baseline is not None:
        rules = rules_for(baseline).rules
    points = points_of_subgroups(whole, baseline, rules)
    return ChartView(chart, None, baseline, tuple(points), (why,))


def _sum(one: PartTally, other: PartTally) -> PartTally:
    names = [field.name for field in fields(PartTally)]
    return PartTally(**{name: getattr(one, name) + getattr(other, name) for name in names})
