"""A Linewatch for tests: real Redis, real database, real worker processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import redis
from PIL import Image
from sqlalchemy import Engine

from db import products
from db.inspections.inspections import outcomes
from db.inspections.records import Outcome
from db.migrate import upgrade
from db.session import engine_for
from linewatch.plant import environment
from linewatch.products import ProductSpec, parse_product
from linewatch.services import Service, ServiceGroup
from linewatch.settings import Settings
from producer.camera import Camera
from producer.contract import Receipt
from tests.acceptance.zygote import ForkedProcess, Zygote
from tests.support.committed import committed

WIDGET: ProductSpec = parse_product(
    {"product": "widget", "classes": [{"code": "good", "good": True}, {"code": "scratch"}]},
    source="tests",
)


# Time limits of waits are there so that a test ends, not to prove speed: a busy machine may take
# its time. What must be quick is measured, and asserted by the test that says so.
PATIENCE = float(os.environ.get("LINEWATCH_TEST_PATIENCE", "3"))


# For a module whose `shared_plant` need not be on both databases: what it looks at is neither.
on_one_database = pytest.mark.parametrize("shared_plant", ["sqlite"], indirect=True, scope="module")


@lru_cache(maxsize=1)
def zygote() -> Zygote:
    """The process that starts workers for the whole test run."""
    return Zygote()


class Live:
    """A running system under test.

    Args:
        settings: a data folder, a database and a Redis of this test's own.
        group: starts and stops the processes.
    """

    model, shows = "none", "noise"  # what judges, and what its pictures show
    champion: str | None = None  # the version that judges from the start

    def __init__(self, settings: Settings, group: ServiceGroup) -> None:
        self.settings = settings
        self.group = group
        self.redis = redis.Redis.from_url(settings.redis_client_url)
        self.pictures = settings.image_roots[0]
        self.receipts: list[Receipt] = []
        self.part_of: dict[str, str] = {}  # picture to the part that it shows, where that is known
        upgrade(settings.sql_url)
        committed(self.engine, products.register, WIDGET)

    @property
    def engine(self) -> Engine:
        """The test's database."""
        return engine_for(self.settings.sql_url)

    def worker(
        self,
        name: str = "w",
        *,
        queues: str = "inspect",
        ready: bool = True,
        include: str | None = None,
        **env: str,
    ) -> Service:
        """Start a worker; `ready` waits until it has loaded its encoders.

        `include` names a module that the worker imports, which may break it on purpose.
        """
        arguments = ["-A", "workers", "worker", "-Q", queues, "-n", f"{name}@%h", "-l", "INFO"]
        arguments += ["--without-gossip", "--without-mingle"]
        arguments += ["--include", include] if include else []
        before = self._log(name)
        log = self.settings.data_dir / "logs" / f"{name}.log"
        everything = {**os.environ, **environment(self.settings), **env}
        process = zygote().start(arguments, everything, log)
        service = Service(name, process, log)  # type: ignore[arg-type]
        self.group.services.append(service)
        if ready:
            self.group.wait_until(
                f"worker {name}", lambda: " ready." in self._log(name)[len(before) :], 60 * PATIENCE
            )
        return service

    def _log(self, name: str) -> str:
        path = self.settings.data_dir / "logs" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def camera(self, **options: Any) -> Camera:
        """A camera of line-1 that collects its receipts here."""
        return Camera(
            line=options.pop("line", "line-1"),
            camera=options.pop("camera", "cam-1"),
            product=options.pop("product", "widget"),
            settings=self.settings,
            on_receipt=self.receipts.append,
            **options,
        )

    def picture(self, name: str | None = None, *, size: int = 96) -> Path:
        """Write a picture of noise; returns where."""
        path = self.pictures / (name or f"{uuid4().hex}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng().integers(0, 255, (size, size, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        return path

    def outcomes(self, ids: list[UUID]) -> dict[UUID, Outcome]:
        """How these pictures ended."""
        return outcomes(self.engine, ids)

    def wait_for(self, ids: list[UUID], timeout_s: float = 60) -> dict[UUID, Outcome]:
        """Wait until every picture has its row."""
        self.until(lambda: len(self.outcomes(ids)) == len(ids), timeout_s, f"{len(ids)} rows")
        return self.outcomes(ids)

    def until(self, done: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until `done`; fails with `what` after `timeout_s`, on a quiet machine."""
        deadline = time.monotonic() + timeout_s * PATIENCE
        while not done():
            assert time.monotonic() < deadline, f"no {what} after {timeout_s * PATIENCE} s"
            time.sleep(0.05)

    def enqueue(self, payload: object, *, task: str = "linewatch.inspect") -> str:
        """Send any payload as a standard Celery task, as a client in any language would."""
        from celery import Celery

        with Celery(broker=self.settings.broker_url, set_as_current=False) as app:
            result = app.send_task(task, args=[payload], queue="inspect", ignore_result=True)
            return str(result.id)

    def held(self) -> int:
        """Messages taken by workers and not yet acknowledged."""
        return int(self.redis.hlen("unacked"))

    def waiting(self) -> int:
        """Messages in the inspect queue."""
        return int(self.redis.llen("inspect"))


def message(*uris: Path | str, **changes: Any) -> dict[str, Any]:
    """A version 1 message about these pictures."""
    fields: dict[str, Any] = {
        "version": 1,
        "product": "widget",
        "line": "line-1",
        "enqueued_at": "2026-01-01T00:00:00Z",
        "images": [
            {
                "id": str(uuid4()),
                "uri": str(uri),
                "camera": "cam-1",
                "captured_at": "2026-01-01T00:00:00Z",
            }
            for uri in uris
        ],
    }
    return {**fields, **changes}


def ids_of(payload: Mapping[str, Any]) -> list[UUID]:
    """The ids in a message."""
    return [UUID(image["id"]) for image in payload["images"]]


def live(settings: Settings) -> Iterator[Live]:
    """A system that is stopped, every process of it, when the test ends."""
    with programs(settings) as group:
        yield Live(settings, group)


@contextmanager
def programs(settings: Settings) -> Iterator[ServiceGroup]:
    """The programs of a system. At the end its workers are killed: a warm stop takes a second.

    Whether workers stop as they should is for tests that say so; what is left at the end of any
    other is as good as gone. Programs that have children of their own are stopped properly.
    """
    with ServiceGroup(settings.data_dir / "logs", environment(settings)) as group:
        try:
            yield group
        finally:
            for service in [s for s in group.services if isinstance(s.process, ForkedProcess)]:
                kill(service)
                group.services.remove(service)


def kill(service: Service) -> None:
    """SIGKILL, and wait until it is gone."""
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()


def envelope(client: redis.Redis, queue: str = "inspect") -> dict[str, Any]:
    """The message at the end of the queue that is read next."""
    text = client.lindex(queue, -1)
    assert text is not None
    found: dict[str, Any] = json.loads(text)
    return found
