"""A plant for Compose, and one for systemd."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.first_start import CABLE, init


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "plant"
    init(folder, "--product", str(CABLE), "--producer", "cam-1")
    return folder


@pytest.fixture(scope="module")
def systemd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "plant"
    url = "postgresql://owner:pw%40x@127.0.0.1:1/linewatch"
    init(folder, "--systemd", "--product", str(CABLE), "--database", url, "--producer", "cam-1")
    return folder
