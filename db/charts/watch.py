"""Looks at every frozen chart and raises the signals of subgroups that are over.

Harmless to repeat, and for two workers at once: a signal is raised once a baseline, subgroup and
rule. It stays though decisions change its point later.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from db.charts.baselines import FrozenBaseline, all_in_force
from db.charts.points import ChartPoint, points_of_gaps, points_of_subgroups
from db.charts.signals import raise_signal, raised
from db.charts.subgroups import class_has_left, slices, subgroups
from db.clock import database_now
from db.session import reading, transaction
from linewatch.errors import LinewatchError
from quality.charts.attribute_charts import Kind
from quality.charts.run_rules import Rule

log = logging.getLogger(__name__)

LATE = timedelta(minutes=15)  # after its end, a subgroup's last pictures are judged
LOOK_BACK_DAYS = 35  # of shifts, hours and lots; older pictures are not believed
LOOK_BACK = timedelta(days=LOOK_BACK_DAYS)


def watch(engine: Engine, timezone: tzinfo, now: datetime | None = None) -> list[str]:
    """Raise what is new; returns what the alerts say."""
    with reading(engine) as connection:
        now = now or database_now(connection)
        frozen = all_in_force(connection)
    said = []
    for baseline in frozen:
        try:
            new = _new(engine, baseline, timezone, now - LATE)
        except LinewatchError as error:
            log.warning("the chart of %s is not looked at: %s", baseline.chart, error)
            continue
        for point, rule in new:
            try:
                with transaction(engine) as connection:
                    said.append(raise_signal(connection, baseline, point, rule))
            except IntegrityError:  # another worker was faster
                continue
            log.warning("%s", said[-1])
    return said


def _new(
    engine: Engine, baseline: FrozenBaseline, timezone: tzinfo, until: datetime
) -> list[tuple[ChartPoint, Rule]]:
    """Signals that are not raised yet; none of a class that is none of the product's any more."""
    chart = baseline.chart
    # What begins where the one before it ends has to be counted from the beginning.
    by_gaps = baseline.baseline.kind is Kind.G
    from_start = by_gaps or chart.by == "n"
    since = baseline.to_at if from_start else max(baseline.to_at, until - LOOK_BACK)
    with reading(engine) as connection:
        if until <= baseline.to_at or class_has_left(connection, chart):
            return []
        known = raised(connection, baseline)
        if by_gaps:
            counted = slices(connection, chart, since, until, timezone=timezone)
        else:
            found = subgroups(connection, chart, since, until, timezone=timezone, now=until)
            counted = found.whole
    # A transaction may be idle for seconds only: what follows may take longer.
    made, rules = baseline.baseline, baseline.rules.rules
    if by_gaps:
        points = points_of_gaps(counted, made, rules, until)
    else:
        points = points_of_subgroups(counted, made, rules)
    return [
        (point, rule)
        for point in points
        for rule in point.signals
        if (point.name, rule.code) not in known
    ]
