"""Labels to train on, requests to train, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from celery import Celery

from db.labels import labels
from db.models import runs as training
from db.models.runs import RunInfo
from tests.acceptance.live import PATIENCE, Live
from tests.support.committed import committed
from workers.config import RETRAIN_TASK, TRAIN_QUEUE

PRODUCT = "widget"


def judged_and_labelled(plant: Live, count: int = 20) -> list[UUID]:
    """Send pictures to the inspect worker that runs, and label half of them `scratch`."""
    with plant.camera() as camera:
        ids = [camera.submit(plant.picture(size=64)) for _ in range(count)]
        assert camera.wait(timeout=60 * PATIENCE)
    label(plant, ids)
    return ids


def label(plant: Live, ids: Sequence[UUID]) -> None:
    """Label these pictures `good` and `scratch`, in turn."""
    rows = [
        labels.NewLabel(
            inspection_id=id_, label=("good", "scratch")[number % 2], labelled_by="tester"
        )
        for number, id_ in enumerate(ids)
    ]
    committed(plant.engine, labels.add_labels, rows)


def ask_for_training(plant: Live, times: int = 1) -> None:
    """Put this many requests into the training queue."""
    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:
        for _ in range(times):
            app.send_task(RETRAIN_TASK, args=[PRODUCT], queue=TRAIN_QUEUE, ignore_result=True)


def finished_run(plant: Live, number: int, timeout_s: float = 60) -> RunInfo:
    """The `number`-th run of the product, counted from 1, once it has ended."""

    def ended() -> bool:
        runs = training.runs(plant.engine, PRODUCT)
        return len(runs) >= number and runs[-number].state != "running"

    plant.until(ended, timeout_s, f"end of training run {number}")
    return training.runs(plant.engine, PRODUCT)[-number]


def trained(plant: Live, number: int = 1) -> str:
    """Train, and wait; the new version."""
    ask_for_training(plant)
    run = finished_run(plant, number)
    assert run.state == "succeeded", run.error
    assert run.model_version is not None
    return run.model_version
