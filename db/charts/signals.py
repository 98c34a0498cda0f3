"""Signals of control charts, each an alert, and the log of what people did about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, exists, select

from db import alerts, audit
from db.base import table_of
from db.charts.baselines import FrozenBaseline
from db.charts.chart import Chart
from db.charts.points import ChartPoint
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import ChartBaseline, ChartReaction, ChartSignal
from linewatch.errors import ChartError
from quality.charts.attribute_charts import Kind
from quality.charts.run_rules import Rule

ALERT = "chart"
SIGNAL = (
    "control chart of {chart}: {subgroup}: {rule} ({figures}); find the cause, then say what was "
    "done: `linewatch chart signals --open`"
)
_SIGNALS, _BASELINES = table_of(ChartSignal), table_of(ChartBaseline)
_REACTIONS = table_of(ChartReaction)
_FACTS = ("subgroup", "starts_at", "rule", "value", "lower", "centre", "upper", "raised_at")
_LONGEST = 2000  # characters of what was done
_IDS = range(1, 2**63)  # that a database has


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody did about a signal."""

    reacted_by: str
    reacted_at: datetime
    did: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal as it was raised, and what was done about it, oldest first."""

    id: int
    chart: Chart
    kind: Kind
    subgroup: str
    starts_at: datetime
    rule: str
    value: float
    lower: float
    centre: float
    upper: float
    raised_at: datetime
    reactions: tuple[Reaction, ...]


def raised(connection: Connection, baseline: FrozenBaseline) -> frozenset[tuple[str, str]]:
    """What was raised under a baseline: names of subgroups, each with the code of a rule."""
    c = _SIGNALS.c
    query = select(c.subgroup, c.rule).where(c.baseline_id == baseline.id)
    return frozenset((row.subgroup, row.rule) for row in connection.execute(query))


def raise_signal(
    connection: Connection, baseline: FrozenBaseline, point: ChartPoint, rule: Rule
) -> str:
    """Keep a signal and raise its alert; returns what the alert says.

    Raises:
        sqlalchemy.exc.IntegrityError: it was raised already.
    """
    assert point.value is not None
    assert point.limits is not None
    chart, message = baseline.chart, _message(baseline, point, rule)
    alert = alerts.raise_alert(
        connection,
        kind=ALERT,
        severity="warning",
        message=message,
        line=chart.line or None,
        product=chart.product,
    )
    row = {
        "baseline_id": baseline.id,
        "subgroup": point.name,
        "starts_at": point.starts,
        "ends_at": point.ends,
        "rule": rule.code,
        "value": point.value,
        "lower": point.limits.lower,
        "centre": point.limits.centre,
        "upper": point.limits.upper,
        "raised_at": database_now(connection),
        "alert_id": alert,
    }
    connection.execute(_SIGNALS.insert().values(row))
    return message


def signals(engine: Engine, product: str | None = None, *, open_only: bool = False) -> list[Signal]:
    """Signals, newest first.

    Args:
        open_only: those about which nobody did anything yet.
    """
    s, b, r = _SIGNALS.c, _BASELINES.c, _REACTIONS.c
    chart = (b.product, b.line, b["class"], b.by, b.n)
    facts = (s[name] for name in _FACTS)
    query = select(s.id, *chart, b.kind, *facts).join(_BASELINES, b.id == s.baseline_id)
    if product is not None:
        query = query.where(b.product == product)
    if open_only:
        query = query.where(~exists().where(r.signal_id == s.id))
    done: dict[int, list[Reaction]] = {}
    said = select(r.signal_id, r.reacted_by, r.reacted_at, r.did).order_by(r.id)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(s.id.desc())).all()
        for signal, *reaction in connection.execute(said) if rows and not open_only else ():
            done.setdefault(signal, []).append(Reaction(*reaction))
    return [
        Signal(
            id=row.id,
            chart=Chart(*row[1:6]),
            kind=Kind(row.kind),
            **{name: getattr(row, name) for name in _FACTS},
            reactions=tuple(done.get(row.id, ())),
        )
        for row in rows
    ]


def react(connection: Connection, signal: int, did: str, *, by: str) -> None:
    """Keep what somebody did about a signal, and end its alert; audited.

    Raises:
        ChartError: there is no such signal, or nothing is said.
    """
    if not did.strip():
        raise ChartError("say what was done about the signal; nothing is also an answer: why")
    named = _SIGNALS.c.id == signal
    alert = connection.scalar(select(_SIGNALS.c.alert_id).where(named)) if signal in _IDS else None
    if alert is None:
        raise ChartError(f"no signal has the number {signal}; see `linewatch chart signals`")
    row = {
        "signal_id": signal,
        "reacted_by": storable(by),
        "reacted_at": database_now(connection),
        "did": storable(did, _LONGEST),
    }
    connection.execute(_REACTIONS.insert().values(row))
    alerts.resolve_one(connection, alert)
    audit.append(connection, by, "chart.react", f"signal {signal}", {"did": row["did"]})


def _message(baseline: FrozenBaseline, point: ChartPoint, rule: Rule) -> str:
    assert point.value is not None
    assert point.limits is not None
    value, lower, upper = point.value, point.limits.lower, point.limits.upper
    if baseline.baseline.kind is Kind.G:
        what = (
            f"{value:.0f} good parts before a nonconforming one, limits {lower:.0f} to {upper:.0f}"
        )
    else:
        what = f"{value:.2%} nonconforming, limits {lower:.2%} to {upper:.2%}"
    where = {"chart": baseline.chart, "subgroup": point.name}
    return SIGNAL.format(**where, rule=rule.says, figures=what)
