"""How a line's parts of the shift that runs ended, held against its control limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import Connection

from db.charts.baselines import FrozenBaseline
from db.reports.part_reports import counted
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.period import Period
from db.reports.part_reports.times import Clock
from quality.charts.attribute_charts import Kind, Limits, Subgroup
from quality.parts.tally import PartTally


@dataclass(frozen=True, slots=True)
class ShiftRate:
    """A product's parts on a line in a shift.

    Attributes:
        limits: of the frozen baseline, for as many decided parts; None: none is frozen.
        provisional: open parts may still move the rate.
    """

    product: str
    tally: PartTally
    limits: Limits | None

    @property
    def provisional(self) -> bool:
        """Whether so many parts are open that the rate may still move."""
        tally = self.tally
        return Subgroup(tally.decided, tally.nonconforming, tally.open).provisional

    @property
    def outside(self) -> bool:
        """Whether the rate lies outside its limits, and no open part can excuse it."""
        rate, limits = self.tally.rate, self.limits
        return not (rate is None or limits is None or self.provisional) and limits.outside(rate)


def shift_rates(
    connection: Connection,
    since: datetime,
    baselines: Sequence[FrozenBaseline],
    timezone: tzinfo,
    until: datetime | None = None,
) -> dict[str, tuple[ShiftRate, ...]]:
    """The rate of each product on each line since the beginning of a shift: by line, by product.

    Args:
        until: the shift's end, where it is over.
    """
    clock = Clock(timezone, connection.dialect.name, since, until)
    tallies = counted.tallies(
        connection, PartFilters(), Period(since, until), ("line", "product"), clock
    )
    found: dict[str, tuple[ShiftRate, ...]] = {}
    for (line, product), tally in tallies.items():
        if tally.parts:
            limits = _limits(str(line), str(product), tally, baselines)
            rate = ShiftRate(str(product), tally, limits)
            found[str(line)] = (*found.get(str(line), ()), rate)
    return found


def _limits(
    line: str, product: str, tally: PartTally, baselines: Sequence[FrozenBaseline]
) -> Limits | None:
    """Those of the chart by shifts, else of another with shares, of any class."""
    fitting = [
        one
        for one in baselines
        if (one.chart.line, one.chart.product, one.chart.class_code) == (line, product, "")
        and one.baseline.kind is not Kind.G
    ]
    if not fitting or not tally.decided:
        return None
    best = min(fitting, key=lambda one: (one.chart.by != "shift", -one.id))
    return best.baseline.limits(tally.decided)
