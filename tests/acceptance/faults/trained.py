"""A champion as `linewatch train` makes it, and drawn parts that it tells apart.

Trained once a test run, in this process: drawn parts, the compact encoders, labels in a database,
`training.retraining.retrain`. Each plant gets the stored version in its own model store and
promotes it, so that the workers that are broken load it and judge with all of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import chain, cycle
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import Engine

from db import products
from db.inspections import inspections
from db.inspections.records import StoredFeatures
from db.labels import labels
from db.models import deployments, feature_spaces, versions
from db.models.feature_spaces import FeatureSpace
from db.models.versions import VersionInfo
from db.session import engine_for
from linewatch.services import ServiceGroup
from linewatch.settings import Settings
from model_store.manifest import Manifest
from model_store.store import ModelStore
from producer.contract import Verdict
from producer.simulator import SimulatedLine, save
from tests.acceptance.faults.trainer import PRODUCT
from tests.acceptance.live import WIDGET, Live, programs
from tests.support.committed import committed
from tests.support.records import a_record
from training.prompts import version_info
from training.retraining import retrain
from training.spaces import feature_spaces as spaces

if TYPE_CHECKING:  # who has an extractor has loaded torch
    from vision.extractor import FeatureExtractor

# What is drawn for each class of the tests' product.
DRAWN = {"good": "good", "scratch": "missing_cable"}
SIZE = 192  # pixels
LABELS_A_CLASS, PARTS_A_CLASS = 24, 4  # to train on, and others to judge
_SEED = 8_000


@dataclass(frozen=True, slots=True)
class Champion:
    """A stored version, the features it judges, its model store, and parts to show it."""

    version: VersionInfo
    space: FeatureSpace
    store: Path
    parts: tuple[Path, ...]


def draw(folder: Path, label: str, count: int, *, first: int = 0) -> list[Path]:
    """`count` PNG files of parts that look like `label`; other numbers are other parts."""
    line = SimulatedLine(seed=_SEED, mix={DRAWN[label]: 1.0}, size=SIZE)
    paths = [folder / f"{label}-{number:03d}.png" for number in range(first, first + count)]
    for number, path in enumerate(paths, start=first):
        if not path.exists():
            save(line.part(number).pixels, path)
    return paths


def train(folder: Path, database_url: str, weights_dir: Path) -> Champion:
    """Draw, embed, label and train, as a site does; see `linewatch train`."""
    from vision.extractor import FeatureExtractor

    settings = Settings(data_dir=folder, database_url=database_url, weights_dir=weights_dir)
    engine = engine_for(settings.sql_url)
    committed(engine, products.register, WIDGET)
    extractor = FeatureExtractor.from_settings(settings)
    spaces.register(engine, extractor)
    for label in DRAWN:
        _label(engine, extractor, draw(folder, label, LABELS_A_CLASS), label)
    made = retrain(
        engine, ModelStore(settings.models_url), PRODUCT, trigger="test", settings=settings
    )
    assert made is not None, "somebody trains in the test's own database"
    manifest: Manifest = made.manifest
    space = FeatureSpace(extractor.fingerprint, extractor.describe_space(), extractor.dim)
    unseen = [draw(folder, label, PARTS_A_CLASS, first=LABELS_A_CLASS) for label in DRAWN]
    by_turns = tuple(chain.from_iterable(zip(*unseen, strict=True)))
    return Champion(version_info(manifest), space, Path(settings.models_url), by_turns)


class Trained(Live):
    """A system whose champion was trained, and whose pictures show parts that it knows."""

    model, shows = "as linewatch train makes it", "drawn parts"

    def __init__(self, settings: Settings, group: ServiceGroup, champion: Champion) -> None:
        super().__init__(settings, group)
        self._stock = cycle(champion.parts)
        self.champion = _deploy(champion, self)

    def picture(self, name: str | None = None, *, size: int = SIZE) -> Path:
        """Write a picture of a part, good and scratched ones by turns; returns where.

        One that is larger than `SIZE` is drawn larger, so that it takes its time to decode.
        """
        part = next(self._stock)
        path = self.pictures / (name or f"{uuid4().hex}.png")
        assert not path.exists(), f"{path} shows another part, which may not be judged yet"
        path.parent.mkdir(parents=True, exist_ok=True)
        if size > SIZE:
            save(SimulatedLine(seed=_SEED, size=size).part(0).pixels, path)
        else:
            shutil.copyfile(part, path)
            self.part_of[str(path)] = part.name
        return path


def trained_plant(settings: Settings, champion: Champion) -> Iterator[Trained]:
    """Like `tests.acceptance.live.live`, with a champion."""
    with programs(settings) as group:
        yield Trained(settings, group, champion)


def _deploy(champion: Champion, plant: Live) -> str:
    """Put the version into the plant's model store and to work; returns its name."""
    version = champion.version.version
    there = Path(plant.settings.models_url) / PRODUCT / version
    shutil.copytree(champion.store / PRODUCT / version, there)
    space = champion.space
    committed(
        plant.engine,
        feature_spaces.register,
        space.fingerprint,
        encoders=space.encoders,
        dim=space.dim,
    )
    committed(plant.engine, versions.add_version, champion.version)
    committed(plant.engine, deployments.promote, PRODUCT, version, by="tester", why="test")
    return version


def _label(engine: Engine, extractor: FeatureExtractor, paths: list[Path], label: str) -> None:
    import torch

    pixels = torch.stack([extractor.prepare(path.read_bytes()).pixels for path in paths])
    rows = []
    for path, vector in zip(paths, extractor.features(pixels).cpu().numpy(), strict=True):
        record = a_record(
            verdict=Verdict.REVIEW,
            product=PRODUCT,
            image_uri=str(path),
            part=path.stem,
            defect_class=None,
            model_version=None,
            probabilities=None,
            features=StoredFeatures.of(extractor.fingerprint, vector),
        )
        inspections.commit_inspections(engine, [record], UTC)
        rows.append(labels.NewLabel(inspection_id=record.id, label=label, labelled_by="tester"))
    committed(engine, labels.add_labels, rows)
