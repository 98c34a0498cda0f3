"""The device under test: LINEWATCH_GPU_DEVICE, else a GPU where there is one, else this processor.

Without a GPU what only a GPU can show is skipped; the rest shows that the tests themselves run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from linewatch.settings import Settings
from producer.simulator import render
from vision.extractor import FeatureExtractor
from vision.preprocess import preprocess

Make = Callable[..., FeatureExtractor]


@pytest.fixture(scope="session")
def device() -> torch.device:
    found = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(os.environ.get("LINEWATCH_GPU_DEVICE", found))


@pytest.fixture(scope="session")
def sizes(device: torch.device) -> tuple[int, ...]:
    """Of batches: 1, 2, 4, … are captured; others are filled up, or cut where they are larger."""
    return (1, 32, 5, 3, 33, 2, 31, 70, 1, 16, 32, 4) if device.type == "cuda" else (1, 5, 3, 2, 4)


@pytest.fixture(scope="session")
def gpu(device: torch.device) -> torch.device:
    if device.type != "cuda":
        pytest.skip("no GPU here")
    return device


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Extractors of the compact encoders, each made once."""
    folder = tmp_path_factory.mktemp("weights")

    @cache
    def made(device: str, precision: str = "float32") -> FeatureExtractor:
        return FeatureExtractor.from_settings(
            Settings(
                data_dir=folder,
                device=device,
                backend="torch",
                precision=precision,
                max_batch=32 if device.startswith("cuda") else 4,
            )
        )

    return made


@pytest.fixture(scope="session")
def pictures() -> torch.Tensor:
    """Prepared pictures, uint8 [12, 3, 224, 224], no two alike."""
    kinds = ("good", "missing_cable", "cut_outer_insulation", "bent_wire")
    parts = [render(kinds[i % 4], np.random.default_rng(i), size=224) for i in range(12)]
    return torch.stack([preprocess(part) for part in parts])


@pytest.fixture(scope="session")
def right(make: Make, pictures: torch.Tensor) -> torch.Tensor:
    """Their features by torch in float32 on this processor."""
    return make("cpu").features(pictures)


@pytest.fixture(scope="session")
def full_weights(gpu: torch.device, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from benchmarks.full_weights import seeded_full_weights

    return seeded_full_weights(tmp_path_factory.mktemp("full"))
