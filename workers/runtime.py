"""What an inspecting worker keeps in memory: encoders, heads, pipeline. One a process."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis
from sqlalchemy import Engine

from db.migrate import require
from db.records import InspectionRecord
from db.session import engine_for
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from model_store.store import ModelStore
from producer.contract import QUEUE, SigningKeys
from vision.extractor import FeatureExtractor
from workers import spaces
from workers.committing import MAX_ROWS, Committer
from workers.drift_watch import DriftWatch
from workers.embedding import Embedder, Idleness
from workers.gauges import Gauges
from workers.guard import Guard
from workers.judging import Judge
from workers.line_book import LineBook
from workers.metrics import WorkerMetrics
from workers.metrics_server import MetricsServer
from workers.observe import observers
from workers.pipeline import Pipeline
from workers.reading import PictureReader
from workers.reads import Reads
from workers.receipts import ReceiptWriter
from workers.residency import Residency
from workers.suspects import SuspectLane
from workers.watchdog import Vitals

log = logging.getLogger(__name__)

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
    received: int = 0
    guard: Guard | None = None
    lines: LineBook | None = None
    drift: DriftWatch | None = None
    metrics: MetricsServer | None = None
    embedder: Embedder | None = None

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

    def stop(self) -> None:
        """Finish the batch on the device, commit it, hand back the rest."""
        if self.guard is not None:
            self.guard.stop()
        if self.embedder is not None:
            self.embedder.stop()
        self.pipeline.stop()
        self.residency.stop()
        if self.lines is not None:
            self.lines.stop()
        if self.drift is not None:
            self.drift.stop()
        if self.metrics is not None:
            self.metrics.stop()

    def problem(self) -> str | None:
        """Why no progress is made, for health checks; holding is no reason."""
        return None if self.guard is None else self.guard.complaint


_runtime: InspectRuntime | None = None


def inspect_runtime() -> InspectRuntime:
    """This process's runtime.

    Raises:
        LinewatchError: this worker was not started for the inspect queue.
    """
    if _runtime is None:
        raise LinewatchError("this worker loaded no encoders; start it with -Q inspect")
    return _runtime


def start_inspect_runtime(
    settings: Settings,
    load_extractor: Callable[[Settings], FeatureExtractor] = FeatureExtractor.from_settings,
    worker: str | None = None,
) -> InspectRuntime:
    """Load everything an inspecting worker needs, and start its threads.

    Raises:
        LinewatchError: the database is behind, the weights cannot be loaded, or a champion was
            fitted on other features than these encoders make.
    """
    global _runtime
    began = time.monotonic()
    keys = SigningKeys.parse(settings.signing_keys.get_secret_value())
    require(settings.sql_url)
    engine = engine_for(settings.sql_url)
    extractor = load_extractor(settings)
    spaces.register(engine, extractor)
    residency = Residency(
        engine,
        ModelStore(settings.models_url),
        fingerprint=extractor.fingerprint,
        device=extractor.device,
        poll_s=settings.model_poll_s,
    )
    client = redis.Redis.from_url(settings.redis_client_url, socket_timeout=5)
    receipts = ReceiptWriter(client)
    depth = max(2 * MAX_ROWS, 4 * settings.max_batch)
    lines = LineBook(engine)
    drift = _drift_watch(engine, settings)
    metrics = WorkerMetrics() if settings.metrics_port else None

    def on_commit(records: Sequence[InspectionRecord]) -> None:
        lines.note(records)
        if drift is not None:
            drift.note(records)
        if metrics is not None:
            metrics.committed(records)

    committer = Committer(
        engine, receipts, timezone=settings.timezone, depth=depth, on_commit=on_commit
    )
    judge = Judge(extractor, residency, feature_sample_rate=settings.feature_sample_rate)
    reader = PictureReader(
        extractor, residency, roots=settings.image_roots, max_bytes=settings.max_image_bytes
    )
    pipeline = Pipeline(
        reader=reader,
        judge=judge,
        committer=committer,
        max_batch=settings.max_batch,
        max_delay_s=settings.max_delay_ms / 1000,
        decode_threads=settings.decode_threads,
        newest_first=lines.newest_first,
    )
    residency.start()
    lines.start()
    if drift is not None:
        drift.start()
    pipeline.start()
    name = worker or socket.gethostname()
    _runtime = InspectRuntime(
        worker=name,
        engine=engine,
        extractor=extractor,
        residency=residency,
        receipts=receipts,
        committer=committer,
        pipeline=pipeline,
        reads=reader.reads,
        decode_threads=settings.decode_threads,
        suspects=SuspectLane(engine, pipeline, name),
        redis=client,
        keys=keys,
        require_signatures=settings.require_signatures,
    )
    _runtime.guard = Guard(_runtime.vitals, settings.stall_timeout_s)
    _runtime.guard.start()
    _runtime.lines = lines
    if settings.embed_idle_s:
        _runtime.embedder = _embedder(_runtime, judge, settings)
        _runtime.embedder.start()
    _runtime.drift = drift
    if metrics is not None:
        observers.add(metrics.observe)
        _runtime.metrics = _serve(_runtime, metrics, settings)
    log.info(
        "%s ready in %.1f s: %s by %s, models %s",
        name,
        time.monotonic() - began,
        extractor.describe(),
        extractor.backend.describe(),
        residency.versions or "none yet",
    )
    return _runtime


def _embedder(runtime: InspectRuntime, judge: Judge, settings: Settings) -> Embedder:
    pipeline = runtime.pipeline
    return Embedder(
        runtime.engine,
        runtime.extractor,
        judge,
        runtime.residency,
        idle=Idleness(
            waiting=lambda: int(runtime.redis.llen(QUEUE)),
            finished=lambda: pipeline.finished,
            in_flight=lambda: pipeline.begun - pipeline.finished,
        ),
        roots=settings.image_roots,
        max_bytes=settings.max_image_bytes,
        idle_s=settings.embed_idle_s,
    )


def _drift_watch(engine: Engine, settings: Settings) -> DriftWatch | None:
    if not settings.drift_baseline_parts:
        return None
    return DriftWatch(
        engine,
        baseline_parts=settings.drift_baseline_parts,
        false_alarm=settings.drift_false_alarm,
    )


def _serve(
    runtime: InspectRuntime, metrics: WorkerMetrics, settings: Settings
) -> MetricsServer | None:
    """Serve the metrics; a port that is taken must not keep a worker from working."""
    metrics.registry.register(Gauges(runtime))
    try:
        server = MetricsServer(
            metrics.registry,
            runtime.problem,
            address=settings.metrics_address,
            port=settings.metrics_port,
        )
    except OSError as error:
        log.error(
            "no metrics: %s:%d: %s; give each worker its own LINEWATCH_METRICS_PORT",
            settings.metrics_address,
            settings.metrics_port,
            error.strerror,
        )
        return None
    server.start()
    return server
