"""The compact encoders can be trained again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vision.checksums import about_of, verify
from vision.loading import load_clip, load_dino
from vision.weights import in_folder


@pytest.mark.slow
def test_a_smoke_run_ends_in_weights_that_load(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.train_compact", "--out", str(tmp_path), "--smoke"]
    quick = ["--device", "cpu", "--threads", "1", "--processes", "1"]
    for _ in range(2):  # the second goes on where the first ended, and trains no more than a step
        subprocess.run([*command, *quick], check=True, timeout=300)
    folder = tmp_path / "weights"
    assert verify(folder) == about_of(folder)["sha256"]
    weights = in_folder(folder)
    seen = load_clip(weights).model.eval().encode_image(torch.zeros(1, 3, 224, 224))
    assert seen.dtype == torch.float32
    assert torch.isfinite(seen).all()
    assert torch.isfinite(load_dino(weights).eval()(torch.zeros(1, 3, 224, 224))[0]).all()
    assert "SHA-256" in (folder / "clip" / "README.md").read_text(encoding="utf-8")
