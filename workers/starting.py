"""Builds what an inspecting worker keeps in memory, from its settings, and sets it going."""

from __future__ import annotations

import gc
import logging
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial

import redis
from sqlalchemy import Engine

from db.migrate import require
from db.records import InspectionRecord
from db.session import engine_for
from linewatch.settings import Settings
from model_store.store import ModelStore
from producer.contract import QUEUE, SigningKeys
from vision.extractor import FeatureExtractor
from workers import spaces, torch_threads
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
from workers.receipts import ReceiptWriter
from workers.residency import Residency
from workers.runtime import InspectRuntime, use
from workers.suspects import SuspectLane

log = logging.getLogger(__name__)


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
    committer = Committer(
        engine,
        receipts,
        timezone=settings.timezone,
        depth=depth,
        on_commit=_noting(lines, drift, metrics),
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
        on_device=partial(torch_threads.compute_here, torch_threads.wanted(extractor.backend)),
    )
    residency.start()
    lines.start()
    if drift is not None:
        drift.start()
    pipeline.start()
    name = worker or socket.gethostname()
    runtime = InspectRuntime(
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
        lines=lines,
        drift=drift,
    )
    use(runtime)
    runtime.guard = Guard(runtime.vitals, settings.stall_timeout_s)
    runtime.guard.start()
    if settings.embed_idle_s:
        runtime.embedder = _embedder(runtime, judge, settings)
        runtime.embedder.start()
    if metrics is not None:
        observers.add(metrics.observe)
        runtime.metrics = _serve(runtime, metrics, settings)
    # What is loaded by now stays. Torch alone brings a million objects; every full collection would
    # walk them all, and each picture makes the dozen objects that bring the next one nearer.
    gc.collect()
    gc.freeze()
    log.info(
        "%s ready in %.1f s: %s by %s, models %s",
        name,
        time.monotonic() - began,
        extractor.describe(),
        extractor.backend.describe(),
        residency.versions or "none yet",
    )
    return runtime


def _noting(
    lines: LineBook, drift: DriftWatch | None, metrics: WorkerMetrics | None
) -> Callable[[Sequence[InspectionRecord]], None]:
    """Tells whoever watches of rows that are in the database now, and were not before."""

    def note(records: Sequence[InspectionRecord]) -> None:
        lines.note(records)
        if drift is not None:
            drift.note(records)
        if metrics is not None:
            metrics.committed(records)

    return note


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
