"""Builds what an inspecting worker keeps in memory, from its settings, and sets it going."""

from __future__ import annotations

import gc
import logging
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from db import alerts
from db.calendars.ahead import spans_ensured
from db.migrate import require
from db.models.drift import ALERT
from db.session import engine_for, transaction
from linewatch.redis_access.client import redis_client
from linewatch.settings import Settings
from model_store.store import ModelStore
from producer.contract import QUEUE, SigningKeys
from vision.extractor import FeatureExtractor
from vision.pictures import Pictures
from workers.health.challenge_watch import ChallengeWatch
from workers.health.drift_watch import DriftWatch
from workers.health.gauges import Gauges
from workers.health.guard import Guard
from workers.health.line_settings import LineSettings
from workers.health.metrics import WorkerMetrics
from workers.health.metrics_server import MetricsServer
from workers.health.suspects import Suspects
from workers.health.unknown_fields import UnknownFieldWatch
from workers.pipeline import torch_threads
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.batcher import MicroBatcher
from workers.pipeline.committer import MAX_ROWS, Committer
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.judge import Judge
from workers.pipeline.pipeline import Pipeline
from workers.pipeline.reader import PictureReader
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.stage_timing import StageTiming
from workers.runtime import InspectRuntime
from workers.serving.embedding import Embedder, Idleness
from workers.serving.residency import Residency
from workers.serving.spaces import Spaces

log = logging.getLogger(__name__)


def start_inspect_runtime(
    settings: Settings,
    load_extractor: Callable[[Settings], FeatureExtractor] = FeatureExtractor.from_settings,
    worker: str | None = None,
) -> InspectRuntime:
    """Load everything an inspecting worker needs, and start its threads.

    Raises:
        LinewatchError: the database is behind, or the weights cannot be loaded.
    """
    began = time.monotonic()
    name = worker or socket.gethostname()
    keys = SigningKeys.parse(settings.signing_keys.get_secret_value())
    require(settings.sql_url)
    engine = engine_for(settings.sql_url)
    spans_ensured(engine, settings.timezone)
    extractor = load_extractor(settings)
    residency = Residency(
        engine,
        ModelStore(settings.models_url),
        spaces=Spaces(engine, extractor),
        poll_s=settings.model_poll_s,
        worker=name,
    )
    client = redis_client(settings, socket_timeout=5)
    receipts = ReceiptWriter(client)
    depth = max(2 * MAX_ROWS, 4 * settings.max_batch)
    lines = LineSettings(engine)
    drift = _drift_watch(engine, settings)
    metrics = WorkerMetrics() if settings.metrics_port else None
    timing = StageTiming()
    on_commit = [lines.note]
    if drift is not None:
        on_commit.append(drift.note)
    if metrics is not None:
        on_commit.append(metrics.committed)
        timing.add(metrics.observe)
    batches = BatchQueue[InspectionRequest](
        MicroBatcher(settings.max_batch, settings.max_delay_ms / 1000, lines.newest_first)
    )
    committer = Committer(
        engine,
        receipts,
        timezone=settings.timezone,
        depth=depth,
        on_busy=batches.downstream,
        on_commit=on_commit,
        timing=timing,
    )
    judge = Judge(residency, feature_sample_rate=settings.feature_sample_rate)
    reader = PictureReader(residency, Pictures.from_settings(settings))
    pipeline = Pipeline(
        reader=reader,
        batches=batches,
        judge=judge,
        committer=committer,
        max_batch=settings.max_batch,
        decode_threads=settings.decode_threads,
        asynchronous=extractor.backend.asynchronous,
        on_device=partial(torch_threads.compute_here, torch_threads.wanted(extractor.backend)),
        timing=timing,
    )
    residency.start()
    lines.start()
    challenges = ChallengeWatch(engine)
    challenges.start()
    unknown_fields = UnknownFieldWatch(engine)
    unknown_fields.start()
    if drift is not None:
        drift.start()
    pipeline.start()
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
        suspects=Suspects(engine, pipeline, name),
        redis=client,
        keys=keys,
        require_signatures=settings.require_signatures,
        lines=lines,
        drift=drift,
        challenges=challenges,
        unknown_fields=unknown_fields,
        timing=timing,
    )
    runtime.guard = Guard(runtime.vitals, settings.stall_timeout_s)
    runtime.guard.start()
    if settings.embed_idle_s:
        runtime.embedder = _embedder(runtime, judge, settings)
        runtime.embedder.start()
    if metrics is not None:
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


def _embedder(runtime: InspectRuntime, judge: Judge, settings: Settings) -> Embedder:
    return Embedder(
        runtime.engine,
        judge,
        runtime.residency,
        idle=Idleness(
            waiting=lambda: int(runtime.redis.llen(QUEUE)),
            in_flight=runtime.pipeline.in_flight,
        ),
        pictures=Pictures.from_settings(settings),
        idle_s=settings.embed_idle_s,
        places=settings.patch_memory,
    )


def _drift_watch(engine: Engine, settings: Settings) -> DriftWatch | None:
    if not settings.drift_baseline_parts:
        with transaction(engine) as connection:  # nobody would end them
            alerts.lapse(connection, kinds={ALERT}, unseen_for=timedelta())
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
            problem=runtime.problem,
            unready=runtime.unready,
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
