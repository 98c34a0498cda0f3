"""One worker, three products: tiles, a centre crop, and a model of 0.1.0 by another recipe."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from db import products
from db.base import table_of
from db.labels import labels
from db.models import deployments, feature_spaces, versions
from db.session import reading
from db.tables import Feature
from linewatch.products import parse_product
from model_store.heads.fit import fit_head
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from model_store.verdicts.verdict import Thresholds
from producer.contract import Verdict
from tests.acceptance.faults.trainer import PRODUCT
from tests.acceptance.live import Live
from tests.support.committed import committed
from training.prompts import version_info
from training.retraining import retrain
from vision.extractor import FeatureExtractor
from vision.fingerprint import RECIPE
from vision.framing import CENTRE_CROP

pytestmark = pytest.mark.timeout(300)

CLASSES = [{"code": "good", "good": True}, {"code": "scratch"}]
LEFT, MIDDLE = slice(4, 30), slice(70, 110)


def strip(plant: Live, flaw: slice | None) -> Path:
    """A part 3.6 times as long as it is high, perhaps with a flaw."""
    pixels = np.random.default_rng().integers(90, 110, (50, 180, 3), dtype=np.uint8)
    if flaw is not None:
        pixels[8:42, flaw] = (230, 30, 30)
    path = plant.picture()
    Image.fromarray(pixels).save(path)
    return path


def sent(plant: Live, product: str, flaws: list[slice | None]) -> list[UUID]:
    with plant.camera(product=product) as camera:
        ids = [camera.submit(strip(plant, flaw)) for flaw in flaws]
        assert camera.wait(timeout=120)
    return ids


def taught(plant: Live, product: str, flaw: slice) -> Manifest:
    """Parts are inspected without a model, labelled, learned from, and the model put to work."""
    ids = sent(plant, product, [None, flaw] * 6)
    rows = [labels.NewLabel(id_, ("good", "scratch")[n % 2], "ann") for n, id_ in enumerate(ids)]
    committed(plant.engine, labels.add_labels, rows)
    store, settings = ModelStore(plant.settings.models_url), plant.settings
    settings = settings.model_copy(update={"review_below": 0.0, "novelty_rate": 0.0})
    made = retrain(plant.engine, store, product, trigger="test", settings=settings)
    assert made is not None
    promoted(plant, product, made.manifest.version)
    return made.manifest


def promoted(plant: Live, product: str, version: str) -> None:
    committed(plant.engine, deployments.promote, product, version, by="ann", why="test")
    plant.until(lambda: f"{version} is champion of" in plant._log("w"), 60, version)


def of_0_1_0(plant: Live) -> str:
    """A champion as 0.1.0 stored it, without fit and roi, by a recipe that is not the worker's."""
    extractor = FeatureExtractor.from_settings(plant.settings)
    seed = extractor.space(CENTRE_CROP, RECIPE)
    committed(
        plant.engine,
        feature_spaces.register,
        seed.fingerprint,
        encoders=seed.describe_space(),
        dim=seed.dim,
    )
    features = np.random.default_rng(1).normal(size=(12, seed.dim))
    draft = ManifestDraft(
        product=PRODUCT,
        number=1,
        good_class="good",
        fingerprint=seed.fingerprint,
        encoders=seed.describe_space(),
        thresholds=Thresholds(review_below=0.0),
        training_digest="0" * 64,
        image_counts={"good": 6, "scratch": 6},
        metrics=None,
        created_at=datetime.now(UTC),
    )
    store = ModelStore(plant.settings.models_url)
    manifest = store.save(fit_head(features, ["good", "scratch"] * 6), draft)
    assert not {"fit", "roi"} & manifest.model_dump().keys()
    committed(plant.engine, versions.add_version, version_info(manifest))
    promoted(plant, PRODUCT, manifest.version)
    return seed.fingerprint


def fingerprints(plant: Live, ids: list[UUID]) -> set[str]:
    c = table_of(Feature).c
    query = select(c.fingerprint).where(c.inspection_id.in_(ids))
    with reading(plant.engine) as connection:
        return set(connection.execute(query).scalars())


def test_products_of_different_fit_and_a_model_of_0_1_0_on_one_worker(plant: Live) -> None:
    for product, fit in (("strip", "tiles"), ("plate", "crop")):
        spec = parse_product({"product": product, "fit": fit, "classes": CLASSES}, "t")
        committed(plant.engine, products.register, spec)
    plant.worker(LINEWATCH_MODEL_POLL_S="0.2", LINEWATCH_FEATURE_SAMPLE_RATE="1")
    tiles = taught(plant, "strip", LEFT)
    crop = taught(plant, "plate", MIDDLE)
    assert (tiles.fit, crop.fit) == ("tiles", None)
    old = of_0_1_0(plant)
    flaws = [LEFT, None] * 4
    ids = {product: sent(plant, product, flaws) for product in ("strip", "plate", PRODUCT)}
    seen = {product: plant.outcomes(those) for product, those in ids.items()}
    said = {
        product: [seen[product][id_].verdict for id_ in those] for product, those in ids.items()
    }
    assert said["strip"] == [Verdict.DEFECT, Verdict.PASS] * 4
    assert said["plate"] == [Verdict.PASS] * 8  # its crop does not reach the flaw
    assert set(said[PRODUCT]) <= {Verdict.DEFECT, Verdict.PASS}
    assert fingerprints(plant, ids["strip"]) == {tiles.fingerprint}
    assert fingerprints(plant, ids["plate"]) == {crop.fingerprint}
    assert fingerprints(plant, ids[PRODUCT]) == {old}
    plant.group.check()
