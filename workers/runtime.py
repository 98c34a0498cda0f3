"""What an inspecting worker keeps in memory: encoders, heads, pipeline. One a process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import Engine

from linewatch.errors import LinewatchError
from producer.contract import QUEUE, SigningKeys
from vision.extractor import FeatureExtractor
from workers.broker.deliveries import deliveries
from workers.health.challenge_watch import ChallengeWatch
from workers.health.drift_watch import DriftWatch
from workers.health.guard import Guard
from workers.health.line_settings import LineSettings
from workers.health.metrics_server import MetricsServer
from workers.health.suspects import Suspects
from workers.health.unknown_fields import UnknownFieldWatch
from workers.health.watchdog import Vitals
from workers.pipeline.committer import Committer
from workers.pipeline.file_reads import FileReads
from workers.pipeline.pipeline import Pipeline
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.stage_timing import StageTiming
from workers.serving.embedding import Embedder
from workers.serving.residency import Residency

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
    reads: FileReads
    decode_threads: int
    suspects: Suspects
    redis: redis.Redis
    keys: SigningKeys
    require_signatures: bool
    lines: LineSettings
    drift: DriftWatch | None
    challenges: ChallengeWatch
    unknown_fields: UnknownFieldWatch
    timing: StageTiming
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
            finished=self.pipeline.in_flight.finished,
            holding=self.waits,
            without_work=deliveries.load().without_work,
        )

    @property
    def waits(self) -> bool:
        """Whether it waits for a database, a share or a model: others would wait as well."""
        return self.committer.holding.now or self.share_hangs or self.idle_reason is not None

    @property
    def in_flight(self) -> int:
        """Pictures being worked on."""
        return self.pipeline.in_flight.now

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
        self.challenges.stop()
        if self.drift is not None:
            self.drift.stop()
        if self.metrics is not None:
            self.metrics.stop()

    @property
    def idle_reason(self) -> str | None:
        """Why this worker takes no messages; None while it does."""
        return self.residency.idle_reason

    def problem(self) -> str | None:
        """Why no progress is made, for health checks; holding is a reason only if it lasts."""
        complaint = None if self.guard is None else self.guard.complaint
        return complaint or self.committer.holding.problem

    def unready(self) -> str | None:
        """Why it can do nothing now: it makes no progress, or takes nothing."""
        return self.problem() or self.idle_reason


def install(app: Any, runtime: InspectRuntime) -> None:
    """Have the tasks and boot steps of this Celery application find the runtime."""
    app.inspect_runtime = runtime


def runtime_of(app: Any) -> InspectRuntime:
    """The runtime of a worker's Celery application.

    Raises:
        LinewatchError: the worker was not started for the inspect queue.
    """
    found: InspectRuntime | None = getattr(app, "inspect_runtime", None)
    if found is None:
        raise LinewatchError("this worker loaded no encoders; start it with -Q inspect")
    return found
