"""Baselines of control charts: frozen by a person, never changed, the latest one in force."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from math import isinf
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from db import audit
from db.base import table_of
from db.charts.chart import Chart
from db.charts.subgroups import class_has_left, subgroups
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import ChartBaseline
from linewatch.errors import ChartError
from linewatch.nearest import did_you_mean
from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.baselines import baseline, suggested
from quality.charts.rule_choice import DEFAULT, RuleChoice, rules_for
from quality.charts.run_length import average_run_length
from quality.charts.subgroups import TimedSubgroup

_TABLE = table_of(ChartBaseline)
_NAMES = ("product", "line", "class", "by", "n")


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """A baseline as it is stored, or about to be; `id` 0 and `frozen_at` None until then.

    Attributes:
        arl: the in-control average run length in points; None: no false alarm was simulated.
        chosen: why it is a chart of this kind; '' once it is stored.
    """

    id: int
    chart: Chart
    baseline: Baseline
    from_at: datetime
    to_at: datetime
    left_out: tuple[str, ...]
    rule_set: str
    arl: float | None
    frozen_by: str
    frozen_at: datetime | None
    why: str
    chosen: str = ""

    @property
    def rules(self) -> RuleChoice:
        """The rules of its set that suit it."""
        return rules_for(self.baseline, self.rule_set)


def proposed(
    engine: Engine,
    chart: Chart,
    since: datetime | None,
    until: datetime | None,
    *,
    by: str,
    why: str,
    timezone: tzinfo,
    now: datetime,
    rule_set: str = DEFAULT,
    kind: Kind | None = None,
    left_out: Collection[str] = (),
) -> FrozenBaseline:
    """What `freeze` stores: counted, and its run length simulated, which takes a second.

    Args:
        left_out: names of subgroups that have a known cause.

    Raises:
        ChartError: no baseline can be made of the range; `why` is missing; a name is none there.
        ReportError: see `subgroups`.
    """
    if not why.strip():
        raise ChartError("say --why these subgroups are held to be in control")
    with reading(engine) as connection:
        found = subgroups(connection, chart, since, until, timezone=timezone, now=now).whole
        if class_has_left(connection, chart):
            raise ChartError(
                f"{chart.class_code} is no class of {chart.product} any more: nothing would be "
                "raised of it"
            )
    used = _kept(found, left_out)
    counts = [one.counts for one in used]
    try:
        made = baseline(counts, kind)
        chosen = suggested(counts).why
        rules = rules_for(made, rule_set).rules
    except ValueError as error:
        raise ChartError(f"{chart}: {_named(str(error), used)}") from None
    length = average_run_length(made, rules, [one.parts for one in counts])
    return FrozenBaseline(
        id=0,
        chart=chart,
        baseline=made,
        from_at=min(one.starts for one in used),
        to_at=max(one.ends for one in used),
        left_out=tuple(left_out),
        rule_set=rule_set,
        arl=None if isinf(length.points) else length.points,
        frozen_by=by,
        frozen_at=None,
        why=why,
        chosen=chosen,
    )


def freeze(connection: Connection, proposal: FrozenBaseline) -> FrozenBaseline:
    """Store a baseline, which is then in force; audited."""
    now = database_now(connection)
    row = {
        **_identity(proposal.chart),
        "kind": str(proposal.baseline.kind),
        **{name: getattr(proposal.baseline, name) for name in _FIGURES},
        "from_at": proposal.from_at,
        "to_at": proposal.to_at,
        "left_out": list(proposal.left_out),
        "rule_set": proposal.rule_set,
        "arl": proposal.arl,
        "frozen_by": storable(proposal.frozen_by),
        "frozen_at": now,
        "why": storable(proposal.why),
    }
    id_ = int(connection.execute(_TABLE.insert().values(row).returning(_TABLE.c.id)).scalar_one())
    detail = {"baseline": id_, "kind": row["kind"], "rate": row["rate"], "why": row["why"]}
    audit.append(connection, proposal.frozen_by, "chart.freeze", str(proposal.chart), detail)
    return replace(proposal, id=id_, frozen_at=now)


def in_force(connection: Connection, chart: Chart) -> FrozenBaseline | None:
    """The latest baseline of a chart."""
    query = select(_TABLE).order_by(_TABLE.c.id.desc()).limit(1)
    found = _read(connection, query.where(*(_TABLE.c[n] == v for n, v in _identity(chart).items())))
    return found[0] if found else None


def all_in_force(connection: Connection) -> list[FrozenBaseline]:
    """The latest baseline of every chart."""
    latest = {one.chart: one for one in _read(connection, select(_TABLE).order_by(_TABLE.c.id))}
    return list(latest.values())


def every_baseline(engine: Engine, product: str | None = None) -> list[FrozenBaseline]:
    """All that were ever frozen, newest first."""
    query = select(_TABLE).order_by(_TABLE.c.id.desc())
    if product is not None:
        query = query.where(_TABLE.c.product == product)
    with reading(engine) as connection:
        return _read(connection, query)


_FIGURES = ("rate", "sigma_z", "subgroups", "parts")


def _read(connection: Connection, query: Select[Any]) -> list[FrozenBaseline]:
    return [_of_row(dict(row)) for row in connection.execute(query).mappings()]


def _of_row(row: dict[str, Any]) -> FrozenBaseline:
    chart = Chart(*(row.pop(name) for name in _NAMES))
    made = Baseline(Kind(row.pop("kind")), *(row.pop(name) for name in _FIGURES))
    return FrozenBaseline(chart=chart, baseline=made, left_out=tuple(row.pop("left_out")), **row)


def _identity(chart: Chart) -> dict[str, Any]:
    values = (chart.product, chart.line, chart.class_code, chart.by, chart.n)
    return dict(zip(_NAMES, values, strict=True))


def _kept(found: Sequence[TimedSubgroup], left_out: Collection[str]) -> list[TimedSubgroup]:
    names = [one.name for one in found]
    for name in left_out:
        if name not in names:
            raise ChartError(f"no subgroup there is called {name!r}{did_you_mean(name, names)}")
    return [one for one in found if one.name not in left_out]


def _named(sentence: str, used: Sequence[TimedSubgroup]) -> str:
    """The sentence, with the name of the first subgroup that is provisional before it."""
    first = next((one.name for one in used if one.counts.provisional), None)
    return (
        sentence
        if first is None or not sentence.startswith("subgroup ")
        else (f"{first}: {sentence}")
    )
