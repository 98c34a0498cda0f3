"""Every program of a plant under its own database user: workers, maintenance, a person, a report.

The users really log in, so whatever a program needs and its role may not do shows here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from db import audit
from db.inspections import dead_letters, requeues
from db.inspections.records import InspectionRecord
from db.inspections.rollup import discrepancies
from db.labels import labels
from db.models import runs
from db.retention import partitions
from db.session import reading, transaction
from linewatch.plant import environment
from producer.contract import Reason, Verdict
from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import PATIENCE, Live, ids_of, live, message
from tests.support.committed import committed
from tests.support.database_users import Users, database_users


@pytest.fixture
def postgresql_plant(
    postgresql_url: str,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    yield from live(plant_settings(tmp_path, postgresql_url, redis_url, weights_dir))


@pytest.fixture
def users(postgresql_plant: Live, postgresql_url: str) -> Iterator[Users]:
    with database_users(postgresql_url) as made:
        yield made
        postgresql_plant.group.stop()


def linewatch(plant: Live, users: Users, role: str, *arguments: str, fails: bool = False) -> str:
    """Run a command as a person or a timer does; returns what it printed."""
    env = {**os.environ, **environment(plant.settings), "LINEWATCH_DATABASE_URL": users.url(role)}
    command = [sys.executable, "-m", "linewatch", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stdout + done.stderr


def buried(plant: Live, users: Users) -> UUID:
    """A picture that a worker gave up, as it leaves it."""
    from db.inspections.inspections import commit_inspections

    worker = users.engine("worker")
    payload = message(plant.picture())
    (id_,) = ids_of(payload)
    committed(
        worker,
        dead_letters.add,
        reason=Reason.POISON,
        detail="d",
        payload=json.dumps(payload),
        image_id=id_,
    )
    record = InspectionRecord(
        id=id_,
        verdict=Verdict.DEAD_LETTER,
        decided_at=datetime.now(UTC),
        product="widget",
        line="line-1",
        camera="cam-1",
        reason=Reason.POISON,
    )
    commit_inspections(worker, [record], plant.settings.timezone)
    return id_


def make_older(plant: Live, days: int) -> None:
    """What was judged, as if it had been so long ago."""
    with transaction(plant.engine) as connection:
        for table, column in (("inspections", "decided_at"), ("inspection_hourly", "hour")):
            connection.execute(
                text(f"UPDATE {table} SET {column} = {column} - make_interval(days => :days)"),
                {"days": days},
            )


@pytest.mark.timeout(600)
def test_every_program_works_as_its_own_user(postgresql_plant: Live, users: Users) -> None:
    plant = postgresql_plant
    plant.worker("w", LINEWATCH_DATABASE_URL=users.url("worker"))
    plant.worker(
        "t",
        queues="train,maintenance",
        LINEWATCH_DATABASE_URL=users.url("maintenance"),
        LINEWATCH_RETENTION_INSPECTIONS_DAYS="30",
        LINEWATCH_RETENTION_PICTURES_DAYS="30",
        LINEWATCH_RETENTION_FEATURES_DAYS="30",
        LINEWATCH_RETENTION_ROLLUPS_DAYS="30",
    )
    with plant.camera() as camera:
        ids = [camera.submit(plant.picture()) for _ in range(12)]
        assert camera.wait(60 * PATIENCE)
    assert {o.verdict for o in plant.outcomes(ids).values()} == {Verdict.REVIEW}
    plant.enqueue({"version": 9, "images": []})

    dead = buried(plant, users)
    (letter, *_) = (one for one in dead_letters.newest(plant.engine) if one.image_id == dead)
    linewatch(plant, users, "console", "dead-letters", "requeue", str(letter.id))
    plant.until(lambda: not requeues.awaited_letters(plant.engine), 30, "a new verdict")
    assert plant.outcomes([dead])[dead].verdict is Verdict.REVIEW
    assert discrepancies(plant.engine, plant.settings.timezone) == {}

    table = plant.settings.data_dir / "labels.csv"
    rows = [f"{id_},{name}" for id_, name in zip(ids, ["good", "scratch"] * 6, strict=True)]
    table.write_text("\n".join(["id,label", *rows]))
    linewatch(plant, users, "console", "labels", "import", str(table))
    assert len(labels.latest(plant.engine, "widget")) == 12
    send(plant, "linewatch.retrain", "train", "widget")
    plant.until(lambda: bool(runs.runs(plant.engine, "widget")), 30, "training run")
    plant.until(lambda: runs.runs(plant.engine, "widget")[0].state != "running", 60, "its end")
    run = runs.runs(plant.engine, "widget")[0]
    assert run.error is None
    promote = ("models", "promote", str(run.model_version), "--why", "first", "--force")
    linewatch(plant, users, "console", *promote)
    linewatch(plant, users, "worker", *promote, fails=True)
    assert "line-1" in linewatch(plant, users, "console", "report", "defect-rate")
    with reading(users.engine("reports")) as connection:
        total = text("SELECT sum(inspected) FROM report_defect_rate_hourly")
        assert connection.execute(total).scalar_one() == 13

    committed(plant.engine, partitions.convert, months_ahead=0)
    with plant.camera() as camera:
        spare = camera.submit(plant.picture())
        assert camera.wait(60 * PATIENCE)
    make_older(plant, days=40)
    send(plant, "linewatch.maintenance", "maintenance")
    plant.until(lambda: not plant.outcomes([spare]), 30, "purge")
    plant.until(lambda: plant.held() + plant.redis.llen("maintenance") == 0, 30, "its end")
    assert len(plant.outcomes(ids)) == 12  # labelled
    assert len(partitions.existing(plant.engine)) > 1
    deeds = {one.action: one for one in audit.newest(plant.engine)}
    assert deeds["retention.purge"].database_user == users.name("maintenance")
    assert deeds["model.promote"].database_user == users.name("console")
    assert audit.verify(plant.engine).problem is None
    for log in (plant.settings.data_dir / "logs").glob("*.log"):
        assert "permission denied" not in log.read_text(), log


def send(plant: Live, task: str, queue: str, *arguments: object) -> None:
    from celery import Celery

    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:
        app.send_task(task, args=list(arguments), queue=queue, ignore_result=True)
