"""Training runs: never two of a product at once, and none that blocks the next by dying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from db.base import table_of
from db.clock import database_now
from db.models.run_metrics import ClassScore, ConfusionCount, RunMetrics, run_metrics, store_metrics
from db.session import reading
from db.storable_text import storable
from db.tables import TrainingRun
from db.upsert import insert_into
from linewatch.errors import TrainingError

__all__ = [
    "ClassScore",
    "ConfusionCount",
    "RunInfo",
    "RunMetrics",
    "fail",
    "finish",
    "get",
    "latest_run",
    "renew",
    "report",
    "run_metrics",
    "runs",
    "start_run",
]

_RUNS = table_of(TrainingRun)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A training run as it stands."""

    id: int
    product: str
    trigger: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    lease_until: datetime
    accuracy: float | None
    macro_f1: float | None
    weighted_f1: float | None
    image_count: int | None
    error: str | None
    model_version: str | None
    stage: str | None = None
    progress: float | None = None


def start_run(connection: Connection, product: str, trigger: str, lease_s: float) -> int | None:
    """Begin a run; returns its number, or None while another holds a lease.

    A run whose lease ran out is marked failed and its place taken. The partial unique index, not
    this code, is what keeps two from running.
    """
    now = database_now(connection)
    running = (_RUNS.c.product == product) & (_RUNS.c.state == "running")
    connection.execute(
        update(_RUNS)
        .where(running, _RUNS.c.lease_until < now)
        .values(state="failed", finished_at=now, error="its lease ran out; the worker died")
    )
    statement = insert_into(connection, _RUNS).on_conflict_do_nothing()
    row = {
        "product": product,
        "trigger": trigger,
        "state": "running",
        "started_at": now,
        "lease_until": now + timedelta(seconds=lease_s),
    }
    return connection.execute(statement.values(row).returning(_RUNS.c.id)).scalar()


def renew(connection: Connection, run_id: int, lease_s: float) -> None:
    """Say that the run is alive, for `lease_s` more seconds.

    Raises:
        TrainingError: the run no longer holds its place; stop it.
    """
    until = database_now(connection) + timedelta(seconds=lease_s)
    _update_running(connection, run_id, lease_until=until)


def report(connection: Connection, run_id: int, stage: str, progress: float) -> None:
    """Say what the run is at, and how far it has come (0 to 1).

    Raises:
        TrainingError: see `renew`.
    """
    _update_running(connection, run_id, stage=storable(stage, 64), progress=progress)


def finish(
    connection: Connection,
    run_id: int,
    *,
    metrics: RunMetrics,
    image_count: int,
    model_version: str,
) -> None:
    """Record a run's figures and end it.

    Raises:
        TrainingError: its lease ran out and another run took its place; nothing is recorded.
    """
    _update_running(
        connection,
        run_id,
        state="succeeded",
        finished_at=database_now(connection),
        accuracy=metrics.accuracy,
        macro_f1=metrics.macro_f1,
        weighted_f1=metrics.weighted_f1,
        image_count=image_count,
        model_version=model_version,
        stage=None,
        progress=1.0,
    )
    store_metrics(connection, run_id, metrics)


def fail(
    connection: Connection, run_id: int, error: str, at: tuple[str, float] | None = None
) -> None:
    """Record why a run failed; one that lost its place already keeps that reason.

    `at` is its last stage and how far it had come; None: as reported.
    """
    stage = {} if at is None else {"stage": storable(at[0], 64), "progress": at[1]}
    connection.execute(
        update(_RUNS)
        .where(_RUNS.c.id == run_id, _RUNS.c.state == "running")
        .values(
            state="failed",
            finished_at=database_now(connection),
            error=storable(error, 2000),
            **stage,
        )
    )


def get(engine: Engine, run_id: int) -> RunInfo | None:
    """One run, or None."""
    with reading(engine) as connection:
        query = select(_RUNS).where(_RUNS.c.id == run_id)
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else RunInfo(**row)


def runs(engine: Engine, product: str, limit: int = 50) -> list[RunInfo]:
    """A product's runs, newest first."""
    query = select(_RUNS).where(_RUNS.c.product == product).order_by(_RUNS.c.id.desc())
    with reading(engine) as connection:
        return [RunInfo(**row) for row in connection.execute(query.limit(limit)).mappings()]


def latest_run(engine: Engine, product: str) -> RunInfo | None:
    """A product's newest run, or None."""
    return next(iter(runs(engine, product, limit=1)), None)


def _update_running(connection: Connection, run_id: int, **values: Any) -> None:
    statement = update(_RUNS).where(_RUNS.c.id == run_id, _RUNS.c.state == "running")
    if connection.execute(statement.values(**values)).rowcount == 0:
        raise TrainingError(
            f"training run {run_id} lost its place: its lease ran out and another may have begun"
        )
