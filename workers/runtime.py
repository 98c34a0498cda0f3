"""What an inspecting worker keeps in memory: encoders, heads, pipeline. One a process."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import redis
from sqlalchemy import Engine

from linewatch.errors import LinewatchError
from producer.contract import QUEUE, SigningKeys
from vision.extractor import FeatureExtractor
from workers.committing import Committer
from workers.drift_watch import DriftWatch
from workers.embedding import Embedder
from workers.guard import Guard
from workers.line_book import LineBook
from workers.metrics_server import MetricsServer
from workers.pipeline import Pipeline
from workers.reads import Reads
from workers.receipts import ReceiptWriter
from workers.residency import Residency
from workers.suspects import SuspectLane
from workers.watchdog import Vitals

SHARE_HANGS_AFTER_S = 1.0


@dataclass(slots=True, eq=False)
class InspectRuntime:
    """The parts that the inspect task uses."""

    worker: str
    engine: Engine
    extractor: FeatureExtractor
    residency: Residency
    receipts: ReceiptWriter
    committer: Committer
    pipeline: Pipeline
    reads: Reads
    decode_threads: int
    suspects: SuspectLane
    redis: redis.Redis
    keys: SigningKeys
    require_signatures: bool
    lines: LineBook
    drift: DriftWatch | None
    received: int = 0
    guard: Guard | None = None
    metrics: MetricsServer | None = None
    embedder: Embedder | None = None
    unread: list[UUID] = field(default_factory=list)  # pictures whose reads hung when it stopped

    def vitals(self) -> Vitals:
        """What the watchdog looks at."""
        return Vitals(
            waiting=int(self.redis.llen(QUEUE)),
            received=self.received,
            in_flight=self.in_flight,
            finished=self.pipeline.finished,
            holding=self.committer.holding or self.share_hangs,
        )

    @property
    def in_flight(self) -> int:
        """Pictures being worked on."""
        return self.pipeline.begun - self.pipeline.finished

    @property
    def share_hangs(self) -> bool:
        """Whether every picture that could be read waits for its file, and has for a while."""
        most = min(self.in_flight, self.decode_threads)
        return most > 0 and self.reads.waiting(SHARE_HANGS_AFTER_S) >= most

    @property
    def hangs(self) -> bool:
        """Of a stopped one: whether something does not end: a read, a batch, a commit."""
        return self.in_flight > 0 or self.reads.waiting(0.0) > 0

    def stop(self) -> None:
        """Finish the batch on the device, commit it, hand back the rest."""
        if self.guard is not None:
            self.guard.stop()
        if self.embedder is not None:
            self.embedder.stop()
        self.unread = self.pipeline.stop()
        self.residency.stop()
        self.lines.stop()
        if self.drift is not None:
            self.drift.stop()
        if self.metrics is not None:
            self.metrics.stop()

    def problem(self) -> str | None:
        """Why no progress is made, for health checks; holding is no reason."""
        return None if self.guard is None else self.guard.complaint


_runtime: InspectRuntime | None = None


def use(runtime: InspectRuntime) -> None:
    """Make this the process's runtime."""
    global _runtime
    _runtime = runtime


def inspect_runtime() -> InspectRuntime:
    """This process's runtime.

    Raises:
        LinewatchError: this worker was not started for the inspect queue.
    """
    if _runtime is None:
        raise LinewatchError("this worker loaded no encoders; start it with -Q inspect")
    return _runtime
