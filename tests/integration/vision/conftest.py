from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from linewatch.settings import Settings
from vision.extractor import FeatureExtractor

# The fingerprint of the compact encoders, and what is said where the full ones cannot be had.
_SCRIPT = """
import sys
from linewatch.errors import WeightsError
from linewatch.settings import Settings
from vision.extractor import FeatureExtractor
print(FeatureExtractor.from_settings(Settings(weights_dir=sys.argv[1])).fingerprint)
try: FeatureExtractor.from_settings(Settings(weights_dir=sys.argv[1], encoders="full"))
except WeightsError as error: print(error)
"""


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For small weights in the place of the full ones."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def extractor(weights_dir: Path) -> FeatureExtractor:
    """The compact encoders on the CPU."""
    return FeatureExtractor.from_settings(Settings(weights_dir=weights_dir, device="cpu"))


@dataclass(frozen=True)
class AnotherProcess:
    """What a process said that loaded encoders, without weights or a hub for the full ones."""

    no_weights: Path
    fingerprint: str
    said: tuple[str, ...]
    stderr: str


@pytest.fixture(scope="session")
def another_process(tmp_path_factory: pytest.TempPathFactory) -> AnotherProcess:
    """One for all tests: it spends seconds on imports."""
    folder = tmp_path_factory.mktemp("another")
    hub = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(folder / "hub")}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(folder)],
        env={**os.environ, **hub},
        capture_output=True,
        text=True,
        check=True,
    )
    fingerprint, *said = done.stdout.splitlines()
    return AnotherProcess(folder, fingerprint, tuple(said), done.stderr)
