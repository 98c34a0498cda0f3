"""The bare loop judges with what training makes: head, calibration, novelty, rules."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.bare import Bare
from benchmarks.bare_loop import BareLoop, features_of
from benchmarks.jpegs import LabelledPicture
from benchmarks.trained import train
from linewatch.products import shipped_product
from linewatch.settings import Settings
from model_store.novelty.novelty import Novelty
from model_store.store import ModelStore
from producer.simulator import render
from vision.extractor import FeatureExtractor

KINDS = ("good", "missing_cable", "cut_outer_insulation")


@pytest.fixture
def pictures(tmp_path: Path) -> list[LabelledPicture]:
    return [drawn(tmp_path, kind, index) for index in range(4) for kind in KINDS]


def drawn(folder: Path, kind: str, index: int) -> LabelledPicture:
    path = folder / f"{kind}-{index}.jpg"
    Image.fromarray(render(kind, np.random.default_rng(index), size=1024)).save(path)
    return LabelledPicture(path, kind)


def test_the_bare_loop_judges_with_the_model_that_training_makes(
    tmp_path: Path, pictures: list[LabelledPicture]
) -> None:
    noise = tmp_path / "noise.bmp"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (1024, 1024, 3), np.uint8)).save(
        noise
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    data = {"LINEWATCH_DATA_DIR": str(tmp_path / "data"), "LINEWATCH_NOVELTY_RATE": "0.01"}
    (tmp_path / "data").mkdir()
    with Bare({**kept, **data, "LINEWATCH_DEVICE": "cpu"}, tmp_path / "log") as bare:
        version = bare.fit(pictures, "cable")
        paths = [str(picture.path) for picture in pictures]
        known = Counter(bare._ask("loop", paths=paths, batch=4)["verdicts"])
        novel = Counter(bare._ask("loop", paths=[str(noise)] * 3, batch=2)["verdicts"])
    stored = ModelStore(Settings(data_dir=tmp_path / "data").models_url).load("cable", version)
    assert isinstance(stored.novelty, Novelty)
    assert stored.manifest.thresholds.novel_above is not None
    assert stored.manifest.decisions is not None
    assert sum(known.values()) == len(pictures)
    assert novel == {"review": 3}
    assert not list((tmp_path / "data").glob("tmp*")), "the database of the training is gone"


def test_with_good_pictures_enough_the_bare_loop_looks_at_places_too(
    tmp_path: Path, pictures: list[LabelledPicture]
) -> None:
    settings = Settings(data_dir=tmp_path / "data", device="cpu")
    settings.data_dir.mkdir()
    extractor = FeatureExtractor.from_settings(settings)
    pictures += [drawn(tmp_path, "good", index) for index in range(4, 20)]
    labelled = [(picture.path, picture.label) for picture in pictures]
    spec = shipped_product("cable")
    features = features_of(extractor, [path for path, _ in labelled], spec.image_size)
    manifest = train(settings, extractor, spec, labelled, features)
    assert manifest.patches is not None
    assert manifest.patches.pictures == 20
    model = ModelStore(settings.models_url).load("cable", manifest.version)
    loop = BareLoop(extractor, model, size=spec.image_size, decode_threads=1)
    _, measured = loop.launch([loop.prepare(path).pixels for path, _ in labelled[:3]])
    assert measured.places is not None
    assert len(measured.places.scores()) == 3
