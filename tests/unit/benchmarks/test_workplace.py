"""A worker that is measured has the settings that its figures are told with."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.workplace import child_environment
from linewatch.settings import Settings


@pytest.mark.parametrize(("device", "max_batch"), [("cpu", 256), ("cuda:1", 4)])
def test_a_child_has_the_device_and_the_batch_of_its_plant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, max_batch: int
) -> None:
    plant = Settings(data_dir=tmp_path).model_copy(
        update={"device": device, "max_batch": max_batch}
    )
    for name, value in child_environment(plant).items():
        if name.startswith("LINEWATCH_"):
            monkeypatch.setenv(name, value)
    child = Settings()
    assert (child.device, child.max_batch) == (device, max_batch)
    assert child.data_dir == tmp_path
