from __future__ import annotations

from pathlib import Path

import pytest

from linewatch.settings import Settings
from vision.extractor import FeatureExtractor


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For small weights in the place of the full ones."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def extractor(weights_dir: Path) -> FeatureExtractor:
    """The compact encoders on the CPU."""
    return FeatureExtractor.from_settings(Settings(weights_dir=weights_dir, device="cpu"))
