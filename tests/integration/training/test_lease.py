"""A run's row says what it is at, and a run that lost its place stops, without waiting for SQL."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, text

from db import products
from db.models import runs
from linewatch.errors import TrainingError
from model_store.fitting.progress import Progress
from tests.support.bench import CODES, spec_of
from tests.support.committed import committed
from training import lease
from training.lease import renewed

READING = ("reading", 0.0)


@pytest.fixture
def run_id(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(lease, "REPORT_EVERY_S", 0.01)
    committed(engine, products.register, spec_of(*CODES))
    run_id = committed(engine, runs.start_run, "cable", "test", 60.0)
    assert run_id is not None
    committed(engine, runs.report, run_id, *READING)
    return run_id


def soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return held


def row(engine: Engine, run_id: int) -> runs.RunInfo:
    found = runs.get(engine, run_id)
    assert found is not None
    return found


def test_the_row_follows_what_is_noted(engine: Engine, run_id: int) -> None:
    told: list[tuple[str, float]] = []
    progress = Progress(READING, lambda stage, share: told.append((stage, share)))
    with renewed(engine, run_id, 60.0, progress):
        progress.note("fitting", 0.5)
        assert told == [("fitting", 0.5)]
        assert soon(lambda: row(engine, run_id).stage == "fitting")
    assert row(engine, run_id).progress == 0.5


def test_the_lease_is_renewed_while_nothing_is_noted(engine: Engine, run_id: int) -> None:
    until = row(engine, run_id).lease_until
    with renewed(engine, run_id, 600.0, Progress(READING)):
        time.sleep(0.05)
    assert row(engine, run_id).lease_until == until
    committed(engine, runs.renew, run_id, 0.4)
    until = row(engine, run_id).lease_until
    with renewed(engine, run_id, 0.4, Progress(READING)):
        assert soon(lambda: row(engine, run_id).lease_until > until)


def test_a_run_that_lost_its_place_stops_at_its_next_note(engine: Engine, run_id: int) -> None:
    progress = Progress(READING)

    def stopped() -> bool:
        try:
            progress.note("fitting", time.monotonic() % 1)
        except TrainingError as error:
            return "lost its place" in str(error)
        return False

    with renewed(engine, run_id, 60.0, progress):
        committed(engine, runs.fail, run_id, "taken over")
        assert soon(stopped)
    assert row(engine, run_id).error == "taken over"


def test_a_failed_run_says_at_what_it_failed(engine: Engine, run_id: int) -> None:
    committed(engine, runs.fail, run_id, "no", ("cross-validation", 0.3))
    found = row(engine, run_id)
    assert (found.state, found.stage, found.progress) == ("failed", "cross-validation", 0.3)


def test_a_run_that_ended_well_is_not_said_to_have_lost_its_place(
    engine: Engine, run_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What it noted last is written after its end where a machine is busy."""
    progress = Progress(READING)
    with renewed(engine, run_id, 60.0, progress):
        committed(engine, _ended_well, run_id)
        progress.note("gate", 0.7)
        time.sleep(0.2)
        progress.note("promoting", 0.9)  # not refused
    assert "lost its place" not in caplog.text
    assert row(engine, run_id).state == "succeeded"


def _ended_well(connection: Connection, run_id: int) -> None:
    ended = text("UPDATE training_runs SET state = 'succeeded' WHERE id = :id")
    connection.execute(ended, {"id": run_id})
