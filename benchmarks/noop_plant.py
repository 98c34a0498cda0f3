"""A plant whose worker has no networks (`benchmarks.noop`), fed with messages made beforehand."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import redis

from benchmarks.contender import TORCH
from benchmarks.empty_task import EMPTY_TASK, write_config
from benchmarks.plant import BenchPlant
from benchmarks.workplace import Workplace
from linewatch.errors import ServiceError
from linewatch.redis_access.keys import HELD
from linewatch.settings import Settings
from model_store.heads.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore
from model_store.validation.metrics import Metrics
from model_store.verdicts.verdict import Thresholds
from producer.contract import QUEUE, receipts_key
from producer.messages import TaskMessage, as_task
from producer.publisher import Publisher
from producer.uuid7 import uuid7
from workers.config import celery_config

PRODUCER = "bench"
_NO_METRICS = Metrics(accuracy=0, macro_f1=0, weighted_f1=0, folds=2, converged=True, classes=())
_POLL_S = 0.01
_FILES = 64
_SIDE = 64  # pixels: so small that reading and hashing a file costs nothing beside its row


class NoopPlant(BenchPlant):
    """Judges features of nothing with a fitted head: rows, scores and features are written.

    Args:
        workplace: gives database, Redis and folder.
        kind: of the database.
        app: what its worker runs; `benchmarks.stock` only takes empty tasks.
    """

    def __init__(self, workplace: Workplace, kind: str, app: str = "benchmarks.noop") -> None:
        from benchmarks.noop import worker_command

        name = f"{app.rpartition('.')[2]}-{kind}"
        settings = workplace.settings(name, workplace.database_url(kind), encoders="compact")
        write_config(settings.data_dir, celery_config(settings))
        settings.image_roots = (_small_files(workplace.folder / "small"),)
        super().__init__(settings, TORCH, worker_command(sys.executable, app))
        self.files = sorted(settings.image_roots[0].glob("*.jpg"))
        self.publisher = Publisher(settings, PRODUCER)
        self._parts = count()  # no two pictures are of one: that would be a part seen for ever
        self.redis = redis.Redis.from_url(settings.redis_client_url)
        self.deploy(_random_head(settings, self.product.product))

    def messages(self, number: int, images: int) -> list[TaskMessage]:
        """`number` messages of `images` pictures each, as a camera's sender makes them."""
        return [as_task(self._payload(images), PRODUCER) for _ in range(number)]

    def empty_tasks(self, number: int) -> list[TaskMessage]:
        """As many Celery tasks that do nothing at all."""
        tasks = self.messages(number, 1)
        return [
            replace(task, headers={**task.headers, "task": EMPTY_TASK}, body=([], {}, task.body[2]))
            for task in tasks
        ]

    def fill(self, tasks: Sequence[TaskMessage]) -> None:
        """Put them on the queue; the worker should stand still meanwhile."""
        for start in range(0, len(tasks), 500):
            self.publisher.publish(tasks[start : start + 500])

    def drain_s(self, tasks: Sequence[TaskMessage]) -> float:
        """Seconds from the worker's start on a filled queue to the last acknowledgement."""
        with self.paused():
            self.fill(tasks)
        began = time.perf_counter()
        ended = self._await_empty(began + 900)
        self.redis.delete(receipts_key(PRODUCER))
        return ended - began

    def _await_empty(self, deadline: float) -> float:
        """When nothing waited any more, and still did not at the second look.

        Celery takes a message and notes that it holds it in two steps; in between it is nowhere.
        """
        ended = None
        while True:
            now = time.perf_counter()
            if left := self.waiting():
                ended = None
            elif ended is not None:
                return ended
            else:
                ended = now
            self.group.check()
            if now > deadline:
                raise ServiceError(f"{left} messages are left")
            time.sleep(_POLL_S)

    def waiting(self) -> int:
        """Messages in the queue, or taken and not acknowledged."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.llen(QUEUE)
            pipe.hlen(HELD)
            return sum(pipe.execute())

    def _payload(self, images: int) -> dict[str, object]:
        now = datetime.now(UTC).isoformat()
        pictures = [
            {
                "id": str(uuid7()),
                "uri": str(self.files[index % len(self.files)]),
                "camera": "cam-1",
                "captured_at": now,
                "part": f"P{next(self._parts):08}",
            }
            for index in range(images)
        ]
        fields = {"product": self.product.product, "line": "line-1", "enqueued_at": now}
        return {"version": 1, **fields, "producer": PRODUCER, "images": pictures}


def noop_plants(
    workplace: Workplace, stack: ExitStack, kinds: Sequence[str], app: str = "benchmarks.noop"
) -> dict[str, NoopPlant]:
    """A started plant on each kind of database."""
    plants = {kind: stack.enter_context(NoopPlant(workplace, kind, app)) for kind in kinds}
    for plant in plants.values():
        plant.start(wait=False)
    for plant in plants.values():
        plant.await_ready()
    return plants


def _small_files(folder: Path) -> Path:
    from PIL import Image

    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(7)
    for index in range(_FILES):
        pixels = noise.integers(0, 255, (_SIDE, _SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03d}.jpg")
    return folder


def _random_head(settings: Settings, product: str) -> str:
    """A head of the product's size on random features, stored; returns its version."""
    from benchmarks.bare_child import cable
    from benchmarks.noop import DIM, NoopExtractor

    spec, extractor = cable(product), NoopExtractor()
    labels = [code for code in spec.class_codes for _ in range(4)]
    features = np.random.default_rng(7).normal(size=(len(labels), DIM))
    draft = ManifestDraft(
        product=product,
        number=1,
        good_class=spec.good_class,
        fingerprint=extractor.fingerprint,
        encoders=extractor.describe(),
        thresholds=Thresholds(review_below=settings.review_below),
        training_digest="0" * 64,
        image_counts=dict.fromkeys(spec.class_codes, 4),
        metrics=_NO_METRICS,
        created_at=datetime.now(UTC),
    )
    return ModelStore(settings.models_url).save(fit_head(features, labels), draft).version
