"""What an inspecting worker counts and times, for Prometheus. Costs a few microseconds a stage."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from db.inspections.records import InspectionRecord
from producer.contract import Verdict
from workers.pipeline.stage_timing import Stage

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class WorkerMetrics:
    """Counters and histograms of one worker process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._pictures = Counter(
            "linewatch_pictures",
            "Pictures committed by this worker.",
            ["verdict"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "linewatch_stage_seconds",
            "How long a stage took: a message (queue_wait, receive), a picture (decode), a batch "
            "(batch_wait, infer) or a transaction (commit, receipt).",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "linewatch_batch_size",
            "Pictures in a batch on the device.",
            buckets=_BATCHES,
            registry=self.registry,
        )
        self._takt = Histogram(
            "linewatch_capture_to_verdict_seconds",
            "From the capture of a picture to its verdict.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        for verdict in Verdict:  # a rate of 0 is one: an alert on it needs the series to be there
            self._pictures.labels(str(verdict))
        self._by_stage = {stage: self._seconds.labels(str(stage)) for stage in Stage}

    def observe(self, stage: Stage, pictures: int, seconds: float) -> None:
        """A stage ended: an `Observer`."""
        self._by_stage[stage].observe(seconds)
        if stage is Stage.INFER:
            self._batch.observe(pictures)

    def committed(self, records: Iterable[InspectionRecord]) -> None:
        """These rows are in the database, and were not before."""
        verdicts: Tally[str] = Tally()
        for record in records:
            verdicts[str(record.verdict)] += 1
            if record.captured_at is not None:
                self._takt.observe((record.decided_at - record.captured_at).total_seconds())
        for verdict, count in verdicts.items():
            self._pictures.labels(verdict).inc(count)
