"""From good pictures to a map of a flaw: tokens, a memory, a verdict, and what is stored."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import torch
from PIL import Image
from sqlalchemy import Engine, delete

from db import products
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures, all_finite
from db.inspections.unlike_maps import map_of
from db.labels import labels
from db.models import deployments, feature_spaces, patch_tokens
from db.session import engine_for, reading, transaction
from db.tables import Feature
from linewatch.errors import ModelError
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.manifest import Manifest
from model_store.novelty.one_class import UnlikeGood
from model_store.novelty.patch_memory import Remembered
from model_store.store import ModelStore
from producer.contract import ImageRef, Reason, Verdict
from producer.contract.message import Envelope
from producer.simulator import render
from tests.support.committed import committed
from tests.support.records import a_record
from training.retraining import retrain
from vision.extractor import FeatureExtractor
from vision.patch_stages import GRID, LOOK
from vision.pictures import Pictures
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judge import Judge
from workers.serving.embedding import Embedder
from workers.serving.residency import Residency
from workers.serving.spaces import Spaces

SIDE, COUNT = 224, 24
ROW, COLUMN = 9, 3  # the flaw's place
CELL = SIDE // GRID


def good(seed: int) -> np.ndarray:
    return render("good", np.random.default_rng(seed), size=SIDE)


def flawed(seed: int) -> np.ndarray:
    """A good part with a checkered patch of 24 pixels."""
    pixels = good(seed).copy()
    y, x = ROW * CELL - 4, COLUMN * CELL - 4
    pixels[y : y + 24, x : x + 24] = np.kron(np.indices((6, 6)).sum(0) % 2, np.ones((4, 4)))[
        :, :, None
    ] * np.array([250, 60, 200])
    return pixels


def file_of(pixels: np.ndarray) -> bytes:
    Image.fromarray(pixels).save(out := io.BytesIO(), "PNG")
    return out.getvalue()


@dataclass
class Plant:
    """A worker's parts, and what was labelled."""

    engine: Engine
    settings: Settings
    extractor: FeatureExtractor
    residency: Residency
    judge: Judge
    embedder: Embedder
    ids: list[UUID]

    def train(self, **changes: object) -> Manifest:
        store = ModelStore(self.settings.models_url)
        settings = self.settings.model_copy(update=changes)
        made = retrain(self.engine, store, "cable", trigger="test", settings=settings)
        assert made is not None
        committed(
            self.engine, deployments.promote, "cable", made.manifest.version, by="a", why="test"
        )
        self.residency.refresh()
        return made.manifest

    def judged(self, *pictures: np.ndarray) -> list[InspectionRecord]:
        batch = []
        for pixels in pictures:
            now = datetime.now(UTC)
            image = ImageRef(id=uuid4(), uri="/x.png", camera="C1", captured_at=now)
            envelope = Envelope(product="cable", line="L1", enqueued_at=now)
            request = InspectionRequest(image, envelope, "w1")
            ready = self.extractor.prepare(file_of(pixels))
            size = ready.width, ready.height
            request.picture = PreparedPicture(ready.pixels, "0" * 64, self.extractor, size=size)
            batch.append(request)
        rows = self.judge.judge(batch)
        commit_inspections(self.engine, rows, UTC)
        return rows


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    folder = tmp_path_factory.mktemp("weights")
    return FeatureExtractor.from_settings(Settings(data_dir=folder, device="cpu"))


@pytest.fixture(scope="module")
def pictures(extractor: FeatureExtractor) -> list[tuple[bytes, StoredFeatures]]:
    """Good ones: their files and features."""
    files = [file_of(good(seed)) for seed in range(COUNT)]
    vectors = extractor.features_of([extractor.prepare(data).pixels for data in files]).numpy()
    kept = [StoredFeatures.of(extractor.fingerprint, vector) for vector in vectors]
    return list(zip(files, kept, strict=True))


@pytest.fixture
def plant(
    tmp_path: Path,
    sqlite_url: str,
    make_settings: Callable[..., Settings],
    extractor: FeatureExtractor,
    pictures: list[tuple[bytes, StoredFeatures]],
) -> Plant:
    engine, settings = engine_for(sqlite_url), make_settings(sql_url=sqlite_url)
    classes = [{"code": code, "good": code == "good"} for code in ("good", "bent")]
    size = {"width": SIDE, "height": SIDE}
    spec = parse_product({"product": "cable", "classes": classes, "image_size": size}, "test")
    committed(engine, products.register, spec)
    print_ = extractor.fingerprint
    words = {"encoders": extractor.describe(), "dim": extractor.dim}
    committed(engine, feature_spaces.register, print_, **words)
    records = []
    for seed, (data, kept) in enumerate(pictures):
        path = tmp_path / f"{seed}.png"
        path.write_bytes(data)
        records.append(
            a_record(part=f"P{seed}", image_uri=str(path), image_sha256=None, features=kept)
        )
    commit_inspections(engine, records, UTC)
    said = [labels.NewLabel(record.id, "good", "ann") for record in records]
    committed(engine, labels.add_labels, said)
    store = ModelStore(settings.models_url)
    residency = Residency(engine, store, spaces=Spaces(engine, extractor), poll_s=60)
    residency.refresh()
    judge = Judge(residency, feature_sample_rate=0)
    read = Pictures((tmp_path,), 10**7)
    embedder = Embedder(engine, judge, residency, idle=lambda: True, pictures=read, idle_s=1.0)
    ids = [record.id for record in records]
    return Plant(engine, settings, extractor, residency, judge, embedder, ids)


def embedded(plant: Plant) -> None:
    while plant.embedder.embed_some():
        pass


def test_files_that_are_gone_keep_no_older_picture_from_being_read(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("workers.serving.embedding.LOOK_AHEAD", 2)
    with transaction(plant.engine) as connection:
        connection.execute(delete(Feature))
    newest = sorted(plant.ids)[-2:]
    for id_ in newest:
        (tmp_path / f"{plant.ids.index(id_)}.png").unlink()
    embedded(plant)
    found = feature_spaces.vectors(plant.engine, plant.ids, plant.extractor.fingerprint)
    assert found.keys() == set(plant.ids) - set(newest)


def test_what_the_encoders_fail_on_is_stored_nowhere_and_tried_once(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person may label it, for its verdict was review; no model can be fitted on NaN."""
    with transaction(plant.engine) as connection:
        connection.execute(delete(Feature))
    print_ = plant.extractor.fingerprint
    embed, tokens, tried = plant.judge.embed, plant.judge.tokens, list[int]()

    def failing(space: FeatureExtractor, pixels: Sequence[torch.Tensor]) -> list[StoredFeatures]:
        made = embed(space, pixels)
        tried.append(len(made))
        broken = np.full(space.dim, np.nan) if len(tried) == 1 else None
        return made if broken is None else [StoredFeatures.of(print_, broken), *made[1:]]

    def failing_once(space: FeatureExtractor, pixels: torch.Tensor) -> np.ndarray:
        monkeypatch.setattr(plant.judge, "tokens", tokens)
        return tokens(space, pixels) * np.nan

    monkeypatch.setattr(plant.judge, "embed", failing)
    monkeypatch.setattr(plant.judge, "tokens", failing_once)
    embedded(plant)
    found = feature_spaces.vectors(plant.engine, plant.ids, print_)
    assert len(found) == sum(tried) - 1 == COUNT - 1
    assert all(map(all_finite, found.values()))
    there = patch_tokens.tokens(plant.engine, plant.ids, print_, LOOK)
    assert len(there) == COUNT - 2
    assert all(all_finite(data) for _, data in there.values())


def test_a_small_flaw_is_caught_and_shown_where_it_is(plant: Plant) -> None:
    embedded(plant)
    there = patch_tokens.tokens(plant.engine, plant.ids, plant.extractor.fingerprint, LOOK)
    assert there.keys() == set(plant.ids)
    manifest = plant.train()
    assert manifest.patches is not None
    assert (manifest.patches.pictures, manifest.patches.look) == (COUNT, LOOK)
    half = pytest.approx(plant.settings.unlike_good_rate / 2)
    assert manifest.unlike_good is not None
    assert manifest.patches.cost.rate == manifest.unlike_good.rate == half
    *fine, bad = plant.judged(*(good(seed) for seed in range(500, 506)), flawed(600))
    assert [row.verdict for row in fine].count(Verdict.PASS) >= 5
    assert (bad.verdict, bad.reason) == (Verdict.REVIEW, Reason.NOVEL)
    with reading(plant.engine) as connection:
        found = map_of(connection, bad.id)
        passed = [row for row in fine if row.verdict is Verdict.PASS]
        assert map_of(connection, passed[0].id) is None  # nor are its features kept
        assert map_of(connection, bad.id, version="other") is None
    assert found is not None
    assert found.version == manifest.version
    assert found.score > found.border == manifest.thresholds.patches_above
    assert found.places.shape == (GRID, GRID)
    assert found.box == (0, 0, 1, 1)
    row, column = np.unravel_index(found.places.argmax(), found.places.shape)
    assert abs(row - ROW) <= 1
    assert abs(column - COLUMN) <= 1
    assert found.places.max() >= found.score  # which is the mean of the farthest two


def test_without_tokens_or_by_setting_there_is_no_memory(plant: Plant) -> None:
    bare = plant.train()
    assert bare.patches is bare.thresholds.patches_above is None
    whole = bare.unlike_good
    assert whole is not None
    assert whole.rate == plant.settings.unlike_good_rate  # nobody to share it with
    tokens = np.zeros((1, 448), "<f2")
    tokens[:, 0] = 1
    stored = dict.fromkeys(plant.ids, tokens.tobytes())
    print_ = plant.extractor.fingerprint
    committed(plant.engine, patch_tokens.store_tokens, print_, LOOK, 448, stored)
    off = plant.train(patch_memory=False)
    assert off.patches is None
    (row,) = plant.judged(flawed(600))
    assert row.maps == ()


def test_a_network_that_sees_no_places_refuses_such_a_model(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = UnlikeGood(parts=20, rate=0.01, rate_low=0, rate_high=0.1)
    made = Remembered(look=LOOK, tokens=2000, pictures=20, cost=cost)
    manifest = plant.train().model_copy(update={"patches": made})
    spaces = Spaces(plant.engine, plant.extractor)
    assert spaces.of_model(manifest) is plant.extractor
    other = made.model_copy(update={"look": "clip[-1]@7/1"})
    with pytest.raises(ModelError, match=r"remembers patches by clip\[-1\]@7/1"):
        spaces.of_model(manifest.model_copy(update={"patches": other}))
    monkeypatch.setattr(plant.extractor.backend, "gives_tokens", False)
    with pytest.raises(ModelError, match="run `linewatch optimize` again"):
        spaces.of_model(manifest)
