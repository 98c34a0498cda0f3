"""One run a product at a time, and none that blocks the next by dying."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from db import training
from db.base import table_of
from db.session import transaction
from db.tables import TrainingRun
from db.training import ClassScore, ConfusionCount, RunMetrics
from linewatch.errors import TrainingError

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
    first = training.start_run(engine, "cable", "beat", 60)
    assert first is not None
    assert training.start_run(engine, "cable", "command", 60) is None
    assert training.start_run(engine, "plug", "beat", 60) is not None
    training.finish(engine, first, metrics=METRICS, image_count=75, model_version="cable-1")
    assert training.start_run(engine, "cable", "command", 60) is not None


def test_of_many_that_start_at_once_one_runs(engine: Engine) -> None:
    for number in range(8):
        product = f"cable-{number}"
        results: list[int | None] = []
        barrier = Barrier(4)

        def start(product: str = product, barrier: Barrier = barrier) -> None:
            barrier.wait()
            results.append(training.start_run(engine, product, "beat", 60))  # noqa: B023

        threads = [Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(result is not None for result in results) == 1
        assert len(results) == 4


def test_the_index_itself_refuses_two(engine: Engine) -> None:
    training.start_run(engine, "cable", "beat", 60)
    now = datetime.now(UTC)
    row = {"product": "cable", "trigger": "x", "state": "running", "started_at": now}
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(table_of(TrainingRun).insert(), {**row, "lease_until": now})


def test_a_dead_run_is_failed_and_its_place_taken(engine: Engine) -> None:
    dead = training.start_run(engine, "cable", "beat", 0.05)
    assert dead is not None
    time.sleep(0.1)
    heir = training.start_run(engine, "cable", "beat", 60)
    assert heir is not None
    buried = training.get(engine, dead)
    assert buried is not None
    assert (buried.state, buried.error) == ("failed", "its lease ran out; the worker died")
    with pytest.raises(TrainingError, match="lost its place"):
        training.renew(engine, dead, 60)
    with pytest.raises(TrainingError, match="lost its place"):
        training.finish(engine, dead, metrics=METRICS, image_count=75, model_version="ghost")
    training.fail(engine, dead, "too late to matter")
    assert training.get(engine, dead) == buried
    assert training.run_metrics(engine, "ghost") is None
    latest = training.latest_run(engine, "cable")
    assert latest is not None
    assert (latest.id, latest.state) == (heir, "running")


def test_a_renewed_lease_holds(engine: Engine) -> None:
    run = training.start_run(engine, "cable", "beat", 0.2)
    assert run is not None
    training.renew(engine, run, 60)
    time.sleep(0.3)
    assert training.start_run(engine, "cable", "beat", 60) is None


def test_figures_are_kept(engine: Engine) -> None:
    run = training.start_run(engine, "cable", "beat", 60)
    assert run is not None
    training.finish(engine, run, metrics=METRICS, image_count=75, model_version="cable-1")
    assert training.run_metrics(engine, "cable-1") == METRICS
    info = training.get(engine, run)
    assert info is not None
    assert (info.state, info.image_count, info.model_version) == ("succeeded", 75, "cable-1")
    assert info.finished_at is not None
    assert info.finished_at >= info.started_at


def test_a_failure_says_why_and_frees_the_place(engine: Engine) -> None:
    run = training.start_run(engine, "cable", "beat", 60)
    assert run is not None
    training.fail(engine, run, "too few\0 labels")
    info = training.get(engine, run)
    assert info is not None
    assert (info.state, info.error) == ("failed", "too few\ufffd labels")
    assert training.start_run(engine, "cable", "beat", 60) is not None
