"""An asynchronous device is given the next batch before the last one's results are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import redis
import torch
from PIL import Image

from db import products
from db.session import engine_for
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.store import ModelStore
from producer.contract import ImageRef
from producer.contract.message import Envelope
from tests.support.committed import committed
from tests.support.waiting import until
from vision.backends.protocol import Backend, Precision
from vision.extractor import FeatureExtractor
from vision.pictures import Pictures
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.batcher import MicroBatcher
from workers.pipeline.committer import Committer
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.judge import Judge
from workers.pipeline.pipeline import Pipeline
from workers.pipeline.reader import PictureReader
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.stage_timing import Stage, StageTiming
from workers.serving.residency import Residency
from workers.serving.spaces import Spaces

BATCH = 2


class Recording:
    """A backend that runs another one, and keeps the order of what happens to its batches.

    It says that it is asynchronous as a GPU's is. Its first batch takes until others wait.
    """

    def __init__(self, real: Backend, events: list[str]) -> None:
        self._real = real
        self._events = events
        self.name, self.device = real.name, real.device
        self.precision: Precision = real.precision
        self.asynchronous = True
        self.gives_tokens = False
        self.hold: Callable[[], None] = lambda: None

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        self._events.append(f"launch {len(batch)}")
        self.hold()
        self.hold = lambda: None
        return self._real.features(batch)

    def with_tokens(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self._real.with_tokens(batch)

    def describe(self) -> str:
        return self._real.describe()


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    folder = tmp_path_factory.mktemp("weights")
    return FeatureExtractor.from_settings(Settings(data_dir=folder, device="cpu"))


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def timing(events: list[str]) -> StageTiming:
    def observe(stage: Stage, pictures: int, seconds: float) -> None:
        if stage is Stage.INFER:
            events.append(f"read {pictures}")

    made = StageTiming()
    made.add(observe)
    return made


@pytest.fixture
def backend(
    extractor: FeatureExtractor, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> Recording:
    backend = Recording(extractor.backend, events)
    monkeypatch.setattr(extractor, "backend", backend)
    return backend


@pytest.fixture
def pipeline(
    settings: Settings,
    redis_url: str,
    extractor: FeatureExtractor,
    backend: Recording,
    timing: StageTiming,
    tmp_path: Path,
) -> Iterator[Pipeline]:
    engine = engine_for(settings.sql_url)
    classes = [{"code": "good", "good": True}, {"code": "bad"}]
    spec = {"product": "cable", "fit": "crop", "classes": classes}
    committed(engine, products.register, parse_product(spec, "t"))
    store = ModelStore(settings.models_url)
    residency = Residency(engine, store, spaces=Spaces(engine, extractor), poll_s=60)
    residency.refresh()
    batches = BatchQueue[InspectionRequest](MicroBatcher(BATCH, 30))
    with redis.Redis.from_url(redis_url) as client:
        made = Pipeline(
            reader=PictureReader(residency, Pictures((tmp_path,), 10**6)),
            judge=Judge(residency, feature_sample_rate=0),
            batches=batches,
            committer=Committer(
                engine,
                ReceiptWriter(client),
                timezone=ZoneInfo("UTC"),
                depth=64,
                on_busy=batches.downstream,
            ),
            max_batch=BATCH,
            decode_threads=1,
            asynchronous=backend.asynchronous,
            timing=timing,
        )
        made.start()
        yield made
        made.stop()


@pytest.fixture
def requests(tmp_path: Path) -> Callable[[int], list[InspectionRequest]]:
    path = tmp_path / "part.png"
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path)
    now = datetime.now(UTC)
    envelope = Envelope(product="cable", line="L1", enqueued_at=now)

    def make(count: int) -> list[InspectionRequest]:
        images = (
            ImageRef(id=uuid4(), uri=str(path), camera="C1", captured_at=now) for _ in range(count)
        )
        return [InspectionRequest(image, envelope, "w1") for image in images]

    return make


def test_the_next_full_batch_is_launched_before_results_are_read(
    pipeline: Pipeline,
    backend: Recording,
    events: list[str],
    requests: Callable[[int], list[InspectionRequest]],
) -> None:
    backend.hold = lambda: until(lambda: len(pipeline._batches) == 2 * BATCH, 30)
    assert len(pipeline.inspect(requests(3 * BATCH)).result()) == 3 * BATCH
    launch, read = f"launch {BATCH}", f"read {BATCH}"
    assert events == [launch, launch, read, launch, read, read]


def test_a_batch_with_nothing_behind_it_waits_for_nothing(
    pipeline: Pipeline, events: list[str], requests: Callable[[int], list[InspectionRequest]]
) -> None:
    reply = pipeline.inspect(requests(1))
    assert reply.wait(20)
    assert events == ["launch 1", "read 1"]


def test_a_batch_that_is_not_full_grows_while_the_device_is_busy(
    pipeline: Pipeline,
    backend: Recording,
    events: list[str],
    requests: Callable[[int], list[InspectionRequest]],
) -> None:
    backend.hold = lambda: until(lambda: len(pipeline._batches) == 1, 30)
    assert len(pipeline.inspect(requests(BATCH + 1)).result()) == BATCH + 1
    assert events == [f"launch {BATCH}", f"read {BATCH}", "launch 1", "read 1"]


def test_what_is_under_way_at_the_stop_is_committed(
    pipeline: Pipeline,
    backend: Recording,
    events: list[str],
    requests: Callable[[int], list[InspectionRequest]],
) -> None:
    backend.hold = lambda: until(lambda: pipeline._in_memory._closed, 30)
    reply = pipeline.inspect(requests(BATCH))
    until(lambda: bool(events), 30)
    assert pipeline.stop() == []
    assert len(reply.result()) == BATCH


def test_on_a_processor_nothing_is_launched_ahead(extractor: FeatureExtractor) -> None:
    assert extractor.device.type == "cpu"
    assert not extractor.backend.asynchronous
