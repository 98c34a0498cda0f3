"""Batches of several feature spaces, models that change theirs, and shadows of another one."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import numpy as np
import pytest
import torch
from PIL import Image

from db.inspections.records import InspectionRecord
from linewatch.settings import Settings
from model_store.heads.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore
from model_store.verdicts.verdict import Thresholds
from producer.contract import ImageRef
from producer.contract.message import Envelope
from vision.extractor import FeatureExtractor
from vision.fingerprint import RECIPE
from vision.framing import CENTRE_CROP, Framing
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judge import Judge
from workers.serving.residency import Residency
from workers.serving.resident_model import ResidentModel

STORE = "memory://spaces-test"
TILES = Framing("tiles")


@pytest.fixture(scope="module")
def crop(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    folder = tmp_path_factory.mktemp("weights")
    return FeatureExtractor.from_settings(Settings(data_dir=folder, device="cpu"))


class Serving:
    """Models by product, as a residency has them."""

    def __init__(self) -> None:
        self.models: dict[str, ResidentModel] = {}
        self.shadows: dict[str, ResidentModel] = {}

    def model(self, product: str) -> ResidentModel | None:
        return self.models.get(product)

    def shadow(self, product: str) -> ResidentModel | None:
        return self.shadows.get(product)


def model_of(space: FeatureExtractor, store: ModelStore) -> ResidentModel:
    rows = np.random.default_rng(2).normal(size=(12, space.dim))
    fit, roi = space.framing.stored
    draft = ManifestDraft(
        product="p",
        number=1,
        good_class="good",
        fingerprint=space.fingerprint,
        encoders=space.describe_space(),
        recipe=space.recipe,
        fit=fit,
        roi=roi,
        thresholds=Thresholds(review_below=0.0),
        training_digest="0" * 64,
        image_counts={"good": 6, "bent": 6},
        metrics=None,
        created_at=datetime.now(UTC),
    )
    manifest = store.save(fit_head(rows, ["good", "bent"] * 6), draft)
    return ResidentModel.of(store.load("p", manifest.version), space.device, space)


def request(product: str, picture: PreparedPicture) -> InspectionRequest:
    now = datetime.now(UTC)
    image = ImageRef(id=uuid4(), uri="/x.png", camera="C1", captured_at=now)
    made = InspectionRequest(image, Envelope(product=product, line="L1", enqueued_at=now), "w1")
    made.picture = picture
    return made


def file(seed: int, width: int = 160, height: int = 50) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(out := io.BytesIO(), "PNG")
    return out.getvalue()


def judge_of(serving: Serving) -> Judge:
    return Judge(cast(Residency, serving), feature_sample_rate=1)


def test_framings_of_one_recipe_are_computed_in_one_batch(
    crop: FeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles, squash, seed = (
        crop.space(TILES),
        crop.space(Framing("squash")),
        crop.space(CENTRE_CROP, RECIPE),
    )
    assert tiles.backend is squash.backend is crop.backend
    assert seed.backend is not crop.backend
    shared = [space._networks.encoders() for space in (crop, seed)]
    assert shared[0] is shared[1]
    spaces = [tiles, squash, crop, tiles, seed]
    batch = [
        request(f"p{n}", PreparedPicture(space.prepare(file(n)).pixels, "0" * 64, space))
        for n, space in enumerate(spaces)
    ]
    alone = [judge_of(Serving()).judge([one])[0] for one in batch]
    sizes: list[int] = []
    run = crop.backend.features

    def counted(squares: torch.Tensor) -> torch.Tensor:
        sizes.append(len(squares))
        return run(squares)

    monkeypatch.setattr(crop.backend, "features", counted)
    rows = judge_of(Serving()).judge(batch)
    assert sum(sizes) == 2 * 4 + 2  # four tiles of a picture 3.2 times as wide as it is high
    assert len(sizes) == 2  # no more at once than eight, where pictures are few
    for row, one, space in zip(rows, alone, spaces, strict=True):
        assert row.features is not None
        assert row.features.fingerprint == space.fingerprint
        assert np.allclose(vector(row), vector(one), atol=2e-3)


def vector(row: InspectionRecord) -> Any:
    assert row.features is not None
    return np.frombuffer(row.features.vector, "<f2").astype(np.float32)


def test_a_champion_of_another_space_judges_what_is_read_after_it_came(
    crop: FeatureExtractor,
) -> None:
    store, serving = ModelStore(STORE), Serving()
    old, new = model_of(crop, store), model_of(crop.space(TILES), store)
    serving.models["p"] = new
    read_before = PreparedPicture(crop.prepare(file(1)).pixels, "0" * 64, crop, None, old)
    read_after = PreparedPicture(
        crop.space(TILES).prepare(file(1)).pixels, "0" * 64, crop.space(TILES), None, new
    )
    rows = judge_of(serving).judge([request("p", read_before), request("p", read_after)])
    assert [row.model_version for row in rows] == [old.version, new.version]
    serving.models["p"] = again = model_of(crop, store)
    row = judge_of(serving).judge([request("p", read_before)])[0]
    assert row.model_version == again.version  # of the same space: the newest judges


def test_a_shadow_of_another_space_sees_the_picture_in_its_own_way(crop: FeatureExtractor) -> None:
    store, serving, tiles = ModelStore(STORE), Serving(), crop.space(TILES)
    champion, shadow = model_of(crop, store), model_of(tiles, store)
    serving.models["p"], serving.shadows["p"] = champion, shadow
    own, beside = crop.prepare_for((crop, tiles), file(3))
    both = PreparedPicture(own.pixels, "0" * 64, crop, None, champion, beside.pixels, tiles)
    single = PreparedPicture(own.pixels, "0" * 64, crop, None, champion)
    row = judge_of(serving).judge([request("p", both)])[0]
    assert row.shadow is not None
    serving.models["p"], serving.shadows = shadow, {}
    straight = PreparedPicture(beside.pixels, "0" * 64, tiles, None, shadow)
    expected = judge_of(serving).judge([request("p", straight)])[0]
    assert row.shadow.probabilities == pytest.approx(expected.probabilities, abs=1e-4)
    serving.models["p"], serving.shadows["p"] = champion, shadow
    assert judge_of(serving).judge([request("p", single)])[0].shadow is None
