"""A model serves on another precision only after it was shown to judge alike there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine

from db import agreements, deployments, feature_spaces, labels, model_versions, products
from db.inspections import commit_inspections
from db.labels import NewLabel
from db.model_versions import VersionInfo
from db.records import StoredFeatures
from linewatch.agreeing import check
from linewatch.errors import ModelError
from linewatch.products import load_product, product_files
from linewatch.settings import Settings
from model_store.crossval import cross_validate
from model_store.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore, StoredModel
from model_store.verdict import Thresholds
from tests.support.pictures import encoded, texture
from tests.support.records import a_record
from vision.extractor import FeatureExtractor
from workers.residency import Residency

COUNT = 36


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def float32(weights: Path) -> FeatureExtractor:
    return FeatureExtractor.from_settings(Settings(weights_dir=weights, device="cpu"))


@pytest.fixture(scope="module")
def bfloat16(float32: FeatureExtractor, weights: Path) -> FeatureExtractor:
    settings = Settings(weights_dir=weights, device="cpu", precision="bfloat16")
    return FeatureExtractor.from_settings(settings)


@dataclass
class Site:
    engine: Engine
    settings: Settings
    store: ModelStore
    model: StoredModel

    def residency(self, extractor: FeatureExtractor) -> Residency:
        return Residency(
            self.engine,
            self.store,
            fingerprint=extractor.fingerprint,
            device=extractor.device,
            poll_s=60,
        )


@pytest.fixture
def site(engine: Engine, tmp_path: Path, float32: FeatureExtractor) -> Site:
    """A product with a champion fitted on float32, and its pictures: dark ones are bent."""
    (cable,) = (load_product(path) for path in product_files() if path.stem == "cable")
    products.register(engine, cable)
    rows, vectors, names = [], [], []
    for number in range(COUNT):
        name = ("good", "bent_wire")[number % 2]
        pixels = (texture(240, 240, seed=number) * (1.0 if name == "good" else 0.3)).astype("u1")
        data = encoded(Image.fromarray(pixels), "PNG")
        path = tmp_path / f"{number}.png"
        path.write_bytes(data)
        vector = float32.features(float32.prepare(data).pixels[None]).numpy()[0].astype("<f2")
        rows.append(
            a_record(
                image_uri=str(path),
                image_sha256=hashlib.sha256(data).hexdigest(),
                features=StoredFeatures(float32.fingerprint, vector.tobytes()),
            )
        )
        vectors.append(vector.astype(np.float64))
        names.append(name)
    commit_inspections(engine, rows, UTC)
    labels.add_labels(
        engine, [NewLabel(row.id, name, "ann") for row, name in zip(rows[:9], names, strict=False)]
    )
    feature_spaces.register(engine, float32.fingerprint, encoders="small", dim=float32.dim)
    store = ModelStore(str(tmp_path / "models"))
    x = np.stack(vectors)
    manifest = store.save(
        fit_head(x, names),
        ManifestDraft(
            product="cable",
            number=1,
            good_class="good",
            fingerprint=float32.fingerprint,
            encoders="small",
            thresholds=Thresholds(),
            training_digest="d" * 64,
            image_counts={"good": COUNT // 2, "bent_wire": COUNT // 2},
            metrics=cross_validate(x, names).summary(),
            created_at=datetime.now(UTC),
        ),
    )
    info = VersionInfo(
        version=manifest.version,
        product="cable",
        number=1,
        fingerprint=manifest.fingerprint,
        encoders="small",
        manifest_sha256=manifest.manifest_sha256,
        created_at=manifest.created_at,
    )
    model_versions.add_version(engine, info)
    deployments.promote(engine, "cable", manifest.version, by="ann", why="")
    settings = Settings(image_roots=(tmp_path,), max_batch=8)
    return Site(engine, settings, store, store.load("cable", manifest.version))


def test_a_worker_of_another_precision_refuses_until_it_was_checked(
    site: Site, float32: FeatureExtractor, bfloat16: FeatureExtractor
) -> None:
    version = site.model.manifest.version
    feature_spaces.register(
        site.engine,
        bfloat16.fingerprint,
        encoders=bfloat16.describe(),
        dim=bfloat16.dim,
        reference=bfloat16.reference,
    )
    with pytest.raises(ModelError, match="linewatch backends check cable"):
        site.residency(bfloat16).refresh(refuse_foreign=True)
    site.residency(float32).refresh(refuse_foreign=True)  # its own goes on serving

    done = check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    assert done.agreement.pictures == COUNT
    assert done.agreement.same_class == 1.0
    assert done.agreement.least_cosine > 0.999
    assert done.unreadable == 0
    residency = site.residency(bfloat16)
    residency.refresh(refuse_foreign=True)
    assert residency.versions == {"cable": version}
    (row,) = agreements.of_model(site.engine, version)
    assert (row.fingerprint, row.backend) == (bfloat16.fingerprint, "torch bfloat16 on cpu")
    # Every label can train in the new precision.
    assert done.added == 9
    assert len(labels.training_set(site.engine, "cable", bfloat16.fingerprint)) == 9


def test_a_model_that_judges_otherwise_stays_refused(
    site: Site, bfloat16: FeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = bfloat16.backend.features
    monkeypatch.setattr(bfloat16.backend, "features", lambda batch: -right(batch))
    done = check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    assert done.agreement.same_class < 0.5
    assert not done.agreement.holds
    with pytest.raises(ModelError, match="not shown to judge alike"):
        site.residency(bfloat16).refresh(refuse_foreign=True)
    monkeypatch.undo()  # the newest measurement counts
    check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    site.residency(bfloat16).refresh(refuse_foreign=True)


def test_pictures_that_are_gone_or_changed_do_not_count(
    site: Site, bfloat16: FeatureExtractor, tmp_path: Path
) -> None:
    (tmp_path / "0.png").unlink()
    (tmp_path / "1.png").write_bytes((tmp_path / "2.png").read_bytes())
    done = check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    assert (done.agreement.pictures, done.unreadable) == (COUNT - 2, 2)
    for number in range(2, 8):
        (tmp_path / f"{number}.png").unlink()
    with pytest.raises(ModelError, match="28 pictures of cable"):
        check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")


def test_other_encoders_are_no_matter_of_precision(
    site: Site, bfloat16: FeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bfloat16, "reference", "e" * 64)
    monkeypatch.setattr(bfloat16, "fingerprint", "f" * 64)
    with pytest.raises(ModelError, match="other encoders"):
        check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    with pytest.raises(ModelError, match="start it with the encoders"):
        site.residency(bfloat16).refresh(refuse_foreign=True)
