"""The demonstration's steps, in the order a plant lives them."""

from __future__ import annotations

import re
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from db import products
from db.labels import labels
from db.models import deployments, runs
from db.session import engine_for, transaction
from linewatch.demo.accounting import Account, Score, account, score
from linewatch.demo.screen import Screen
from linewatch.demo.sources import DemoPicture, PictureSource
from linewatch.errors import ServiceError, TrainingError
from linewatch.plant import Plant, resident_models
from linewatch.services import ServiceGroup
from linewatch.settings import Settings
from producer.camera import Camera
from producer.contract import Verdict
from workers.config import RETRAIN_TASK

WHO = "demo"
TRAIN_TIMEOUT_S = 300.0
RECEIPTS_TIMEOUT_S = 120.0  # without a single receipt


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration found."""

    account: Account
    score: Score
    version: str
    shift_seconds: float
    shift_parts: int
    shift_verdicts: Mapping[Verdict, int]
    shift_lots: frozenset[str]
    flower_tasks: int | None


class Demo:
    """Runs the steps on a plant that is up.

    Args:
        settings: those of the plant.
        source: the pictures.
        plant: where Flower answers.
        group: the plant's programs, watched while we wait.
        screen: shows progress.
    """

    def __init__(
        self,
        settings: Settings,
        source: PictureSource,
        plant: Plant,
        group: ServiceGroup,
        screen: Screen,
    ) -> None:
        self._settings = settings
        self._source = source
        self._plant = plant
        self._group = group
        self._screen = screen
        self._engine: Engine = engine_for(settings.sql_url)
        self._lots: set[str] = set()

    def run(self) -> DemoResult:
        """First pictures, labels, first model, shift, books.

        Raises:
            ServiceError: something stopped, or receipts stay away.
            TrainingError: no model could be trained.
        """
        with transaction(self._engine) as connection:
            products.register(connection, self._source.product)
        product = self._source.product.product
        with self._screen.step("first pictures, before any model", self._source.first_count):
            first = self._stream(self._source.first())
        said = [labels.NewLabel(id_, truth, labelled_by=WHO, source="demo") for id_, truth in first]
        with transaction(self._engine) as connection:
            labels.add_labels(connection, said)
        with self._screen.step("first model, by cross-validation"):
            version = self._train(product)
        with self._screen.step("shift", self._source.shift_count):
            self._lots.clear()
            began = time.monotonic()
            shift = self._stream(self._source.shift())
            seconds = time.monotonic() - began
        books, found = account(self._engine, [id_ for id_, _ in first + shift], product)
        return DemoResult(
            account=books,
            score=score(found, dict(shift)),
            version=version,
            shift_seconds=seconds,
            shift_parts=len(shift),
            shift_verdicts=Counter(Verdict(found[id_].verdict) for id_, _ in shift if id_ in found),
            shift_lots=frozenset(self._lots),
            flower_tasks=flower_tasks(self._plant.flower_url),
        )

    def _stream(self, pictures: Iterator[DemoPicture]) -> list[tuple[UUID, str]]:
        """Submit every picture at its station and wait for all receipts."""
        submitted: list[tuple[UUID, str]] = []
        with ExitStack() as stack:
            cameras: dict[tuple[str, str], Camera] = {}
            for picture in pictures:
                station = (picture.line, picture.camera)
                if station not in cameras:
                    cameras[station] = stack.enter_context(self._camera(*station))
                id_ = cameras[station].submit(picture.path, part=picture.part, lot=picture.lot)
                submitted.append((id_, picture.truth))
                self._lots.add(picture.lot)
                self._screen.submitted()
                self._group.check()
            self._await_receipts(list(cameras.values()))
        return submitted

    def _camera(self, line: str, camera: str) -> Camera:
        return Camera(
            line=line,
            camera=camera,
            product=self._source.product.product,
            settings=self._settings,
            on_receipt=lambda _: self._screen.judged(),
        )

    def _await_receipts(self, cameras: list[Camera]) -> None:
        deadline = time.monotonic() + RECEIPTS_TIMEOUT_S
        seen = self._screen.receipts
        for camera in cameras:
            while not camera.wait(timeout=0.2):
                self._group.check()
                if self._screen.receipts != seen:
                    seen, deadline = self._screen.receipts, time.monotonic() + RECEIPTS_TIMEOUT_S
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"no receipt for {RECEIPTS_TIMEOUT_S:.0f} s; see the logs in "
                        f"{self._settings.data_dir / 'logs'}"
                    )

    def _train(self, product: str) -> str:
        """Have the training worker make the first model, promote it, and wait for the workers."""
        from workers.app import make_app

        make_app(self._settings).send_task(RETRAIN_TASK, args=[product, "demo"])
        deadline = time.monotonic() + TRAIN_TIMEOUT_S
        while True:
            run = runs.latest_run(self._engine, product)
            if run is not None and run.state == "failed":
                raise TrainingError(f"no first model: {run.error}")
            if run is not None and run.state == "succeeded" and run.model_version:
                break
            self._group.check()
            if time.monotonic() > deadline:
                raise ServiceError(f"no model after {TRAIN_TIMEOUT_S:.0f} s")
            time.sleep(0.1)
        version: str = run.model_version
        why = "first model of the demonstration"
        with transaction(self._engine) as connection:
            deployments.promote(connection, product, version, by=WHO, why=why)
        self._group.wait_until(
            f"model {version}",
            lambda: (resident_models(self._settings) or {}).get(product) == version,
            30,
        )
        return version


def flower_tasks(url: str) -> int | None:
    """How many inspection messages Flower has seen succeed; None when it does not answer."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as reply:  # noqa: S310
            text = reply.read().decode()
    except OSError:
        return None
    labels = r'[^}]*task="linewatch\.inspect"[^}]*type="task-succeeded"[^}]*'
    pattern = rf"^flower_events_total\{{{labels}\}} (\S+)$"
    return int(sum(float(count) for count in re.findall(pattern, text, flags=re.MULTILINE)))
