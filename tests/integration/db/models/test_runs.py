"""One run a product at a time, and none that blocks the next by dying."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from db.base import table_of
from db.models import runs
from db.models.runs import ClassScore, ConfusionCount, RunMetrics
from db.session import transaction
from db.tables import TrainingRun
from linewatch.errors import TrainingError
from tests.support.committed import committed

METRICS = RunMetrics(
    accuracy=0.76,
    macro_f1=0.62,
    weighted_f1=0.74,
    classes=[
        ClassScore("combined", None, None, None, 2, False),
        ClassScore("good", 0.5, 1, 0.7, 3),
    ],
    confusion=[ConfusionCount("combined", "good", 1), ConfusionCount("good", "good", 3)],
)


def test_a_second_run_waits_for_the_first(engine: Engine) -> None:
    first = committed(engine, runs.start_run, "cable", "beat", 60)
    assert first is not None
    assert committed(engine, runs.start_run, "cable", "command", 60) is None
    assert committed(engine, runs.start_run, "plug", "beat", 60) is not None
    committed(engine, runs.finish, first, metrics=METRICS, image_count=75, model_version="cable-1")
    assert committed(engine, runs.start_run, "cable", "command", 60) is not None


def test_of_many_that_start_at_once_one_runs(engine: Engine) -> None:
    for number in range(8):
        product = f"cable-{number}"
        results: list[int | None] = []
        barrier = Barrier(4)

        def start(product: str = product, barrier: Barrier = barrier) -> None:
            barrier.wait()
            results.append(committed(engine, runs.start_run, product, "beat", 60))  # noqa: B023

        threads = [Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(result is not None for result in results) == 1
        assert len(results) == 4


def test_the_index_itself_refuses_two(engine: Engine) -> None:
    committed(engine, runs.start_run, "cable", "beat", 60)
    now = datetime.now(UTC)
    row = {"product": "cable", "trigger": "x", "state": "running", "started_at": now}
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(table_of(TrainingRun).insert(), {**row, "lease_until": now})


def test_a_dead_run_is_failed_and_its_place_taken(engine: Engine) -> None:
    dead = committed(engine, runs.start_run, "cable", "beat", 0.05)
    assert dead is not None
    time.sleep(0.1)
    heir = committed(engine, runs.start_run, "cable", "beat", 60)
    assert heir is not None
    buried = runs.get(engine, dead)
    assert buried is not None
    assert (buried.state, buried.error) == ("failed", "its lease ran out; the worker died")
    with pytest.raises(TrainingError, match="lost its place"):
        committed(engine, runs.renew, dead, 60)
    with pytest.raises(TrainingError, match="lost its place"):
        committed(engine, runs.finish, dead, metrics=METRICS, image_count=75, model_version="ghost")
    committed(engine, runs.fail, dead, "too late to matter")
    assert runs.get(engine, dead) == buried
    assert runs.run_metrics(engine, "ghost") is None
    latest = runs.latest_run(engine, "cable")
    assert latest is not None
    assert (latest.id, latest.state) == (heir, "running")


def test_a_renewed_lease_holds(engine: Engine) -> None:
    run = committed(engine, runs.start_run, "cable", "beat", 0.2)
    assert run is not None
    committed(engine, runs.renew, run, 60)
    time.sleep(0.3)
    assert committed(engine, runs.start_run, "cable", "beat", 60) is None


def test_figures_are_kept(engine: Engine) -> None:
    run = committed(engine, runs.start_run, "cable", "beat", 60)
    assert run is not None
    committed(engine, runs.finish, run, metrics=METRICS, image_count=75, model_version="cable-1")
    assert runs.run_metrics(engine, "cable-1") == METRICS
    info = runs.get(engine, run)
    assert info is not None
    assert (info.state, info.image_count, info.model_version) == ("succeeded", 75, "cable-1")
    assert info.finished_at is not None
    assert info.finished_at >= info.started_at


def test_a_failure_says_why_and_frees_the_place(engine: Engine) -> None:
    run = committed(engine, runs.start_run, "cable", "beat", 60)
    assert run is not None
    committed(engine, runs.fail, run, "too few\0 labels")
    info = runs.get(engine, run)
    assert info is not None
    assert (info.state, info.error) == ("failed", "too few\ufffd labels")
    assert committed(engine, runs.start_run, "cable", "beat", 60) is not None


def test_a_run_renews_its_own_lease_only(engine: Engine) -> None:
    ours = committed(engine, runs.start_run, "cable", "beat", 60)
    theirs = committed(engine, runs.start_run, "plug", "beat", 60)
    assert ours is not None
    assert theirs is not None
    before = {run: runs.get(engine, run) for run in (ours, theirs)}
    committed(engine, runs.renew, ours, 600)
    after = {run: runs.get(engine, run) for run in (ours, theirs)}
    assert after[theirs] == before[theirs]
    mine, was = after[ours], before[ours]
    assert mine is not None
    assert was is not None
    assert mine.lease_until is not None
    assert was.lease_until is not None
    assert (mine.lease_until - was.lease_until).total_seconds() > 500


def test_a_run_that_lost_its_place_cannot_renew_it(engine: Engine) -> None:
    """Nor that of the run that took it."""
    lost = committed(engine, runs.start_run, "cable", "beat", -1)
    heir = committed(engine, runs.start_run, "cable", "beat", 60)
    assert lost is not None
    assert heir is not None
    before = runs.get(engine, heir)
    with pytest.raises(TrainingError, match=f"training run {lost} lost its place"):
        committed(engine, runs.renew, lost, 600)
    assert runs.get(engine, heir) == before
