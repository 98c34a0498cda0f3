"""Real workers that are nothing but `linewatch_worker` in the database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from db import labels, roles, training
from db.session import engine_for, transaction
from producer.contract import Verdict
from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import PATIENCE, Live, live


@pytest.fixture
def postgresql_plant(
    postgresql_url: str,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    yield from live(plant_settings(tmp_path, postgresql_url, redis_url, weights_dir))


def test_workers_judge_train_and_purge_with_their_role(
    postgresql_plant: Live, postgresql_url: str
) -> None:
    plant = postgresql_plant
    prefix = f"lw_{secrets.token_hex(4)}"
    roles.apply(engine_for(postgresql_url), prefix)
    url = f"{postgresql_url}?options={quote(f'-c role={prefix}_worker')}"
    try:
        plant.worker("w", LINEWATCH_DATABASE_URL=url)
        plant.worker("t", queues="train,maintenance", LINEWATCH_DATABASE_URL=url)
        with plant.camera() as camera:
            ids = [camera.submit(plant.picture()) for _ in range(12)]
            assert camera.wait(60 * PATIENCE)
        assert {o.verdict for o in plant.outcomes(ids).values()} == {Verdict.REVIEW}
        plant.enqueue({"version": 9, "images": []})
        rows = [
            labels.NewLabel(inspection_id=id_, label=name, labelled_by="tester")
            for id_, name in zip(ids, ["good", "scratch"] * 6, strict=True)
        ]
        labels.add_labels(plant.engine, rows)
        send(plant, "linewatch.retrain", "train", "widget")
        plant.until(lambda: bool(training.runs(plant.engine, "widget")), 30, "training run")
        plant.until(
            lambda: training.runs(plant.engine, "widget")[0].state != "running", 60, "its end"
        )
        assert training.runs(plant.engine, "widget")[0].error is None
        send(plant, "linewatch.maintenance", "maintenance")
        plant.until(
            lambda: plant.waiting() + plant.redis.llen("maintenance") + plant.held() == 0,
            30,
            "empty queues",
        )
        for log in (plant.settings.data_dir / "logs").glob("*.log"):
            assert "permission denied" not in log.read_text(), log
    finally:
        plant.group.stop()
        with transaction(engine_for(postgresql_url)) as connection:
            for role in ("worker", "console", "reports"):
                connection.execute(text(f"DROP OWNED BY {prefix}_{role}"))
                connection.execute(text(f"DROP ROLE {prefix}_{role}"))


def send(plant: Live, task: str, queue: str, *arguments: object) -> None:
    from celery import Celery

    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:
        app.send_task(task, args=list(arguments), queue=queue, ignore_result=True)
