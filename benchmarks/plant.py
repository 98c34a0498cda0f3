"""A plant under test: one real worker process, fed by a real camera through its spool."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from benchmarks.commits import Commits, await_commits, verdicts
from benchmarks.contender import TORCH, Contender
from benchmarks.slices import Sliced
from benchmarks.workplace import child_environment
from db import products
from db.models import deployments, versions
from db.session import engine_for, transaction
from linewatch.errors import ServiceError
from linewatch.products import ProductSpec, shipped_product
from linewatch.services import Service, ServiceGroup, python_command
from linewatch.settings import Settings
from model_store.store import ModelStore
from producer.camera import Camera
from training.prompts import version_info

READY_TIMEOUT_S = 240.0
WORKER = python_command("linewatch", "worker", "--queues", "inspect", "--no-supervise")
_JUDGED = ("pass", "defect", "review (uncertain)", "review (novel)")
_OVERRIDES = {
    # On a machine that others use too, a batch can take long; the watchdog must not end the run.
    "LINEWATCH_STALL_TIMEOUT_S": "600",
    # Drift charts have their baseline before anything is timed, and run from then on.
    "LINEWATCH_DRIFT_BASELINE_PARTS": "60",
}

# A filled queue may take long, and a worker may be frozen: no picture goes a second time for that.
_PATIENT = {"receipt_timeout_s": 600.0}


class BenchPlant:
    """A database, a queue and one inspect worker. Use as a context.

    Args:
        settings: of this plant alone.
        contender: the backend that its worker runs on.
        command: the worker's; `linewatch worker --queues inspect --no-supervise` unless said.
    """

    def __init__(
        self,
        settings: Settings,
        contender: Contender = TORCH,
        command: Sequence[str] = WORKER,
    ) -> None:
        self.settings = settings
        self.engine: Engine = engine_for(settings.sql_url)
        self._command = list(command)
        everything = {**child_environment(settings), **contender.environment, **_OVERRIDES}
        self.group = ServiceGroup(settings.data_dir / "logs", everything)
        self.product = register_cable(self.engine, "cable")
        self.version = ""
        self.worker: Service | None = None
        self._camera: Camera | None = None

    def __enter__(self) -> BenchPlant:
        self.group.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._camera is not None:
            self._camera.close()
        self.group.stop()

    def deploy(self, version: str) -> None:
        """Let a version that is in the store judge this plant's parts."""
        manifest = ModelStore(self.settings.models_url).manifest(self.product.product, version)
        with transaction(self.engine) as connection:
            versions.add_version(connection, version_info(manifest))
            deployments.promote(connection, manifest.product, version, by="bench", why="benchmark")
        self.version = version

    def start(self, *, wait: bool = True) -> Service:
        """Start the worker; `wait` until it takes messages."""
        self.worker = self.group.start("worker", self._command)
        if wait:
            self.await_ready()
        return self.worker

    def await_ready(self) -> None:
        """Wait until the worker has loaded its encoders and takes messages."""
        worker = self.worker
        assert worker is not None, "the worker was not started"
        self.group.wait_until(
            "the worker", lambda: " ready." in worker.log.read_text(), READY_TIMEOUT_S
        )

    @property
    def camera(self) -> Camera:
        """The one camera of this plant; opened when first used."""
        if self._camera is None:
            patient = self.settings.model_copy(update=_PATIENT)
            self._camera = Camera("line-1", "cam-1", self.product.product, settings=patient)
        return self._camera

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The worker stands still (SIGSTOP) while the queue is filled."""
        assert self.worker is not None
        self.worker.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.worker.process.send_signal(signal.SIGCONT)

    def submit(self, paths: Sequence[Path]) -> list[UUID]:
        """Submit each picture with `Camera.submit`, and wait until Redis has all of them."""
        ids = [self.camera.submit(path) for path in paths]
        if not self.camera.wait_sent(timeout=120):
            raise ServiceError(f"the queue did not take {len(paths)} pictures within 120 s")
        return ids

    def images_per_s(self, paths: Sequence[Path]) -> float:
        """From the worker's start on a filled queue to the last verdict's decision."""
        with self.paused():
            self.submit(paths)
            # Before it goes on: it may judge the first of them before this process has the
            # processor again, and rows decided earlier than this are not counted.
            began = datetime.now(UTC)
        return len(paths) / (self._last_decided(len(paths), since=began) - began).total_seconds()

    def sliced(self, paths: Sequence[Path]) -> Sliced:
        """The same work in slices: the queue is filled before, the last verdict ends it."""
        assert self.worker is not None
        began: list[datetime] = []

        def fill() -> None:
            self.submit(paths)
            began.append(datetime.now(UTC))

        def judge() -> float:
            return self._last_decided(len(paths), since=began[0]).timestamp()

        return Sliced(self.worker.process, judge, fill)

    def _last_decided(self, count: int, *, since: datetime) -> datetime:
        last = self.await_commits(count, since=since).last
        assert last is not None
        return last

    def await_commits(self, count: int, *, since: datetime) -> Commits:
        """Wait until `count` rows decided since then are committed."""
        return await_commits(self.engine, count, since=since, check=self.group.check)

    def check_judged(self) -> dict[str, int]:
        """How many rows of each verdict, after making sure that a model gave every one of them.

        Raises:
            ServiceError: a picture was rejected, or no model judged it: the figures mean nothing.
        """
        found = verdicts(self.engine)
        odd = [v for v in found if v not in _JUDGED]
        if odd:
            raise ServiceError(f"not every picture was judged by the model: {found}")
        return found


def register_cable(engine: Engine, name: str) -> ProductSpec:
    """Register the product that ships."""
    spec = shipped_product("cable").model_copy(update={"product": name})
    with transaction(engine) as connection:
        products.register(connection, spec)
    return spec
