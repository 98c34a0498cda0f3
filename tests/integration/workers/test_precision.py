"""A model serves on another precision only after it was shown to judge alike there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sqlalchemy import Engine

from db import products
from db.inspections.inspections import commit_inspections
from db.inspections.records import StoredFeatures, all_finite
from db.labels import labels
from db.labels.labels import NewLabel
from db.models import deployments, feature_spaces, precision_checks, versions
from db.models.versions import VersionInfo
from linewatch.errors import ModelError
from linewatch.products import shipped_product
from linewatch.settings import Settings
from model_store.heads.fit import fit_head
from model_store.heads.head import Head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore, StoredModel
from model_store.validation.crossval import cross_validate
from model_store.validation.metrics import Metrics
from model_store.verdicts.verdict import Thresholds
from tests.support.committed import committed
from tests.support.pictures import encoded, texture
from tests.support.records import a_record
from training.precision.check import check
from vision.extractor import FeatureExtractor
from workers.serving.residency import Residency
from workers.serving.spaces import Spaces

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
            spaces=Spaces(self.engine, extractor),
            poll_s=60,
        )


@dataclass(frozen=True)
class Parts:
    """Pictures, what float32 sees in each, and a head fitted on that; dark ones are bent."""

    names: list[str]
    files: list[bytes]
    vectors: list[np.ndarray]
    head: Head
    metrics: Metrics


@pytest.fixture(scope="module")
def parts(float32: FeatureExtractor) -> Parts:
    names, files, vectors = [], [], []
    for number in range(COUNT):
        names.append(("good", "bent_wire")[number % 2])
        light = 1.0 if names[-1] == "good" else 0.3
        pixels = (texture(240, 240, seed=number) * light).astype("u1")
        files.append(encoded(Image.fromarray(pixels), "PNG"))
        pixels = float32.prepare(files[-1]).pixels[None]
        vectors.append(float32.features(pixels).numpy()[0].astype("<f2"))
    x = np.stack(vectors).astype(np.float64)
    return Parts(names, files, vectors, fit_head(x, names), cross_validate(x, names).summary())


@pytest.fixture
def site(engine: Engine, tmp_path: Path, float32: FeatureExtractor, parts: Parts) -> Site:
    """A product with a champion fitted on float32, and its pictures."""
    cable = shipped_product("cable")
    committed(engine, products.register, cable)
    rows = []
    for number, (data, vector) in enumerate(zip(parts.files, parts.vectors, strict=True)):
        path = tmp_path / f"{number}.png"
        path.write_bytes(data)
        rows.append(
            a_record(
                image_uri=str(path),
                image_sha256=hashlib.sha256(data).hexdigest(),
                features=StoredFeatures(float32.fingerprint, vector.tobytes()),
            )
        )
    commit_inspections(engine, rows, UTC)
    committed(
        engine,
        labels.add_labels,
        [NewLabel(row.id, name, "ann") for row, name in zip(rows[:9], parts.names, strict=False)],
    )
    committed(
        engine, feature_spaces.register, float32.fingerprint, encoders="small", dim=float32.dim
    )
    store = ModelStore(str(tmp_path / "models"))
    manifest = store.save(
        parts.head,
        ManifestDraft(
            product="cable",
            number=1,
            good_class="good",
            fingerprint=float32.fingerprint,
            encoders="small",
            thresholds=Thresholds(),
            training_digest="d" * 64,
            image_counts={"good": COUNT // 2, "bent_wire": COUNT // 2},
            metrics=parts.metrics,
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
    committed(engine, versions.add_version, info)
    committed(engine, deployments.promote, "cable", manifest.version, by="ann", why="")
    settings = Settings(image_roots=(tmp_path,), max_batch=8)
    return Site(engine, settings, store, store.load("cable", manifest.version))


def refused(site: Site, extractor: FeatureExtractor) -> str:
    """Why a worker with these encoders judges no cables; empty if it does."""
    residency = site.residency(extractor)
    residency.refresh()
    return residency.unserved.get("cable", "")


def test_a_worker_of_another_precision_refuses_until_it_was_checked(
    site: Site, float32: FeatureExtractor, bfloat16: FeatureExtractor
) -> None:
    version = site.model.manifest.version
    committed(
        site.engine,
        feature_spaces.register,
        bfloat16.fingerprint,
        encoders=bfloat16.describe(),
        dim=bfloat16.dim,
        reference=bfloat16.reference,
    )
    assert "linewatch backends check cable" in refused(site, bfloat16)
    assert refused(site, float32) == ""  # its own goes on serving

    done = check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    assert done.agreement.pictures == COUNT
    assert done.agreement.same_class == 1.0
    assert done.agreement.least_cosine > 0.999
    assert done.unreadable == 0
    residency = site.residency(bfloat16)
    residency.refresh()
    assert residency.versions == {"cable": version}
    (row,) = precision_checks.of_model(site.engine, version)
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
    assert "not shown to judge alike" in refused(site, bfloat16)
    monkeypatch.undo()  # the newest measurement counts
    check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    assert refused(site, bfloat16) == ""


def test_what_the_other_precision_fails_on_is_not_stored(
    site: Site, bfloat16: FeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = bfloat16.backend.features

    def failing(batch: torch.Tensor) -> torch.Tensor:
        found = right(batch).clone()
        found[0] = torch.nan
        return found

    monkeypatch.setattr(bfloat16.backend, "features", failing)
    done = check(site.engine, site.model, bfloat16, site.settings, pictures=1000, by="ann")
    assert not done.agreement.holds
    kept = labels.training_set(site.engine, "cable", bfloat16.fingerprint)
    assert 0 < len(kept) == done.added < 9
    assert all(all_finite(row.vector) for row in kept)


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
    assert "start it with the encoders" in refused(site, bfloat16)
