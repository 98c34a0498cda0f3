"""The bare loop judges with what training makes: head, calibration, novelty, rules."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.bare import Bare
from benchmarks.jpegs import LabelledPicture
from linewatch.settings import Settings
from model_store.novelty.novelty import Novelty
from model_store.store import ModelStore
from producer.simulator import render

KINDS = ("good", "missing_cable", "cut_outer_insulation")


@pytest.fixture
def pictures(tmp_path: Path) -> list[LabelledPicture]:
    made = []
    for index in range(4):
        for kind in KINDS:
            path = tmp_path / f"{kind}-{index}.jpg"
            Image.fromarray(render(kind, np.random.default_rng(index), size=1024)).save(path)
            made.append(LabelledPicture(path, kind))
    return made


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
