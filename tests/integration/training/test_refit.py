"""Fits compared on a product's own labelled pictures, and features made again for another one."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine

from db import products
from db.inspections import inspections
from db.labels import labels
from db.labels.labels import NewLabel
from db.models import feature_spaces
from linewatch.errors import TrainingError
from linewatch.products import ProductSpec, parse_product
from linewatch.settings import Settings
from model_store.store import ModelStore
from tests.support.committed import committed
from tests.support.records import a_record
from training.retraining import Retrained, retrain
from training.spaces.framing import training_space
from training.spaces.refit import Refit
from vision.decode import digest
from vision.extractor import FeatureExtractor
from vision.fingerprint import framing_of
from vision.framing import Framing

WIDTH, HEIGHT, A_CLASS = 150, 50, 6
CLASSES = [{"code": "good", "good": True}, {"code": "bent"}]


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What is asked of the database is tested on both elsewhere."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    folder = tmp_path_factory.mktemp("weights")
    return FeatureExtractor.from_settings(Settings(data_dir=folder, device="cpu"))


class Site:
    """Long parts whose flaws lie at their left end, outside the centre crop."""

    def __init__(self, engine: Engine, folder: Path, extractor: FeatureExtractor) -> None:
        self.engine, self.extractor = engine, extractor
        self.settings = Settings(data_dir=folder, image_roots=(folder,))
        self.said: list[str] = []
        self.paths = []
        self.register()
        rng = np.random.default_rng(5)
        for number in range(2 * A_CLASS):
            pixels = rng.integers(90, 110, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            if number % 2:
                pixels[10:40, 5:30] = (230, 30, 30)
            self.paths.append(path := folder / f"{number}.png")
            Image.fromarray(pixels).save(path)
            sha256 = digest(path.read_bytes())
            record = a_record(image_uri=str(path), image_sha256=sha256, part=f"P{number}")
            inspections.commit_inspections(engine, [record], UTC)
            label = ("good", "bent")[number % 2]
            committed(engine, labels.add_labels, [NewLabel(record.id, label, "ann")])

    def register(self, **fields: object) -> ProductSpec:
        spec = parse_product({"product": "cable", "classes": CLASSES, **fields}, "t")
        committed(self.engine, products.register, spec)
        return spec

    def refit(self, **fields: object) -> Refit:
        spec = self.register(**fields)
        self.said.clear()
        return Refit(self.engine, spec, self.settings, lambda: self.extractor, self.said.append)

    def train(self, framing: Framing | None) -> Retrained:
        store = ModelStore(self.settings.models_url)
        made = retrain(
            self.engine,
            store,
            "cable",
            trigger="test",
            settings=self.settings,
            framing=framing,
        )
        assert made is not None
        return made

    def counts(self) -> dict[Framing, int]:
        found = feature_spaces.labelled_spaces(self.engine, "cable")
        return {framing_of(space.encoders): count for space, count in found}


@pytest.fixture
def site(engine: Engine, tmp_path: Path, extractor: FeatureExtractor) -> Site:
    return Site(engine, tmp_path, extractor)


def test_a_flaw_that_a_crop_leaves_out_decides_for_another_fit(site: Site) -> None:
    chosen = site.refit().settle(None)
    assert chosen is not None
    trials = {line.split()[0]: float(line.split()[3].rstrip(",")) for line in site.said[1:5]}
    assert set(trials) == {"crop", "squash", "pad", "tiles"}
    assert trials["crop"] < trials[chosen.fit]  # it sees noise, and is right by chance
    assert trials[chosen.fit] >= max(trials.values()) - 0.01
    assert site.counts() == {chosen: 2 * A_CLASS}
    manifest = site.train(chosen).manifest
    assert (manifest.fit, manifest.roi) == (chosen.fit, None)
    assert manifest.metrics is not None
    assert manifest.metrics.macro_f1 == pytest.approx(trials[chosen.fit], abs=0.01)
    again = site.refit()
    assert again.settle(chosen.fit) == chosen  # nothing is read again
    assert site.said == []


def test_another_region_is_read_again_and_without_the_pictures_the_old_one_stays(
    site: Site,
) -> None:
    half = {"x": 0, "y": 0, "width": 0.5, "height": 1}
    whole = site.refit(fit="squash").settle(None)
    assert whole == Framing("squash")
    left = site.refit(fit="squash", roi=half).settle(None)
    assert left is not None
    assert left.roi is not None
    assert site.said == [f"read {2 * A_CLASS} labelled pictures again for fit squash"]
    assert site.counts() == {whole: 2 * A_CLASS, left: 2 * A_CLASS}
    assert site.train(None).manifest.roi == left.roi
    for path in site.paths[1:]:
        path.unlink()
    assert site.refit(fit="pad").settle(None) is None
    assert f"{2 * A_CLASS - 1} pictures could not be read again" in site.said
    space = training_space(site.engine, products.require(site.engine, "cable"), "patches")
    assert space is not None
    assert framing_of(space.encoders) in (whole, left)
    site.paths[0].unlink()
    with pytest.raises(TrainingError, match="fit tiles"):
        site.refit().settle("tiles")
