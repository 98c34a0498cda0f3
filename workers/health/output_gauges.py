"""What a scrape finds out of the receivers of verdicts: what waits, how long, and who is away."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Engine

from db.clock import database_now
from db.outbox.cursors import CLOCK, State, cursors, oldest_waiting, state
from db.session import reading

_NAMES = ["line", "receiver"]
_QUANTILES = {"0.5": "gate_p50_ms", "0.99": "gate_p99_ms"}


def output_gauges(engine: Engine) -> Iterator[Metric]:
    """Of each receiver, from the database: known also while no dispatcher runs.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not answer.
    """
    with reading(engine) as connection:
        now, oldest = database_now(connection), oldest_waiting(connection)
        known = [(one, last) for one, last in cursors(connection) if one.receiver != CLOCK]
    backlog = _family("linewatch_output_backlog", "What a receiver was not told yet.")
    age = _family("linewatch_output_oldest_seconds", "Age of the oldest of it; 0 if none waits.")
    wait = _family("linewatch_output_told_seconds", "From camera to receiver.", "quantile")
    late = _family("linewatch_output_late_share", "Share that was told too late.")
    states = _family("linewatch_output_state", "1 for the state that it is in.", "state")
    for cursor, last in known:
        names = [cursor.line, cursor.receiver]
        since, figures = oldest.get((cursor.line, cursor.receiver)), cursor.figures or {}
        backlog.add_metric(names, last - cursor.told)
        age.add_metric(names, (now - since).total_seconds() if since else 0.0)
        for quantile, figure in _QUANTILES.items():
            if figure in figures:
                wait.add_metric([*names, quantile], figures[figure] / 1000)
        if "late_share" in figures:
            late.add_metric(names, figures["late_share"])
        for one in State:
            states.add_metric([*names, one], int(one is state(cursor, now)))
    yield from (backlog, age, wait, late, states)


def _family(name: str, text: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=[*_NAMES, *more])
