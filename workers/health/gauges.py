"""What a scrape finds out at its moment: the queue, this worker's state, suspects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import redis
import torch
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from db.inspections import suspects
from linewatch.redis_access.keys import HELD
from producer.queue_state import queue_state
from workers.health.output_gauges import output_gauges

if TYPE_CHECKING:
    from workers.runtime import InspectRuntime


class Gauges(Collector):
    """Reads the runtime when Prometheus asks. What cannot be asked is left out, and said so."""

    def __init__(self, runtime: InspectRuntime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask Redis or the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every gauge."""
        yield from self._worker()
        yield from self._model()
        yield from self._drift()
        up = 1
        try:
            yield from self._redis()
        except redis.RedisError:
            up = 0
        yield _gauge("linewatch_redis_up", "Whether Redis answered.", up)
        up = 1
        try:
            count = suspects.total(self._runtime.engine)
            yield _gauge(
                "linewatch_suspects", "Pictures and messages that may have killed a worker.", count
            )
            yield from output_gauges(self._runtime.engine)
        except SQLAlchemyError:
            up = 0
        yield _gauge("linewatch_database_up", "Whether the database answered.", up)

    def _worker(self) -> Iterator[Metric]:
        runtime = self._runtime
        yield _gauge("linewatch_in_flight", "Pictures this worker is at.", runtime.in_flight)
        hangs = int(runtime.share_hangs)
        yield _gauge("linewatch_share_hangs", "1 while no picture's file can be read.", hangs)
        holding = int(runtime.committer.holding.now)
        yield _gauge("linewatch_holding", "1 while it holds verdicts for a lost database.", holding)
        taking = int(runtime.idle_reason is None)
        yield _gauge("linewatch_taking", "1 while it takes messages; see /readyz.", taking)
        stalled = int(runtime.guard is not None and runtime.guard.complaint is not None)
        yield _gauge("linewatch_stalled", "1 while there is work and nothing gets done.", stalled)
        yield _gauge(
            "linewatch_batch_limit",
            "Pictures the device is given at once; falls when it runs out of memory.",
            runtime.pipeline.limit.value,
        )
        yield _gauge(
            "linewatch_receipts_unsent",
            "Receipts Redis did not take since the start; the producers send again.",
            runtime.receipts.unsent,
        )
        yield _gauge(
            "linewatch_receipts_unread",
            "Receipts that one producer had not fetched when it was sent the newest.",
            runtime.receipts.unread,
        )
        if runtime.extractor.device.type == "cuda":
            memory = torch.cuda.memory_reserved(runtime.extractor.device)
            yield _gauge("linewatch_device_memory_bytes", "Device memory held.", memory)

    def _model(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "linewatch_model_info",
            "Which version serves a product, and on what.",
            labels=["product", "version", "encoders", "device"],
        )
        extractor = self._runtime.extractor
        device = str(extractor.device)
        for product, version in self._runtime.residency.versions.items():
            family.add_metric([product, version, extractor.describe(), device], 1)
        yield family
        missing = GaugeMetricFamily(
            "linewatch_model_missing",
            "1 while this worker lacks the champion of a product, whose pictures it leaves.",
            labels=["product"],
        )
        for product in self._runtime.residency.unserved:
            missing.add_metric([product], 1)
        yield missing

    def _drift(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "linewatch_drift_score",
            "A camera's distance from its baseline as a share of the alarm limit.",
            labels=["product", "line", "camera", "signal"],
        )
        watch = self._runtime.drift
        for (camera, signal), score in (watch.scores() if watch else {}).items():
            family.add_metric([camera.product, camera.line, camera.camera, str(signal)], score)
        yield family

    def _redis(self) -> Iterator[Metric]:
        client = self._runtime.redis
        queue = queue_state(client)
        yield _gauge("linewatch_queue_depth", "Messages that wait.", queue.depth)
        yield _gauge(
            "linewatch_queue_oldest_seconds", "Age of the oldest.", queue.oldest_age_s or 0.0
        )
        held = int(client.hlen(HELD))
        yield _gauge("linewatch_leases", "Messages that all workers hold together.", held)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
