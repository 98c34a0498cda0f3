"""The run for one GPU works without one, goes on after it was killed, and ends in weights."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from vision.checksums import about_of, verify
from vision.loading import load_clip
from vision.weights import in_folder

COMMAND = [sys.executable, "-m", "tools.train_compact.gpu", "--smoke"]


def step_of(checkpoint: Path) -> int:
    with safe_open(checkpoint, framework="pt") as file:
        skeleton = dict(json_pairs(file.metadata()["skeleton"]))
    return int(skeleton["step"])


def json_pairs(text: str) -> list[list[object]]:
    import json

    return list(json.loads(text)["dict"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_smoke_run_goes_on_and_ends_in_weights(tmp_path: Path) -> None:
    command = [*COMMAND, "--out", str(tmp_path)]
    first = subprocess.Popen(command, start_new_session=True)
    until = time.monotonic() + 300
    while not (tmp_path / "clip.pt").exists() and time.monotonic() < until:
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    reached, drawn = step_of(tmp_path / "clip.pt"), set((tmp_path / "scenes").glob("*.npz"))
    assert drawn
    done = subprocess.run(command, check=True, timeout=500, capture_output=True, text=True)
    assert step_of(tmp_path / "clip.pt") >= reached
    folder = tmp_path / "weights"
    assert "wrote" in done.stdout
    assert verify(folder) == about_of(folder)["sha256"]
    seen = load_clip(in_folder(folder)).model.eval().encode_image(torch.zeros(1, 3, 224, 224))
    assert torch.isfinite(seen).all()
    card = (folder / "clip" / "README.md").read_text(encoding="utf-8")
    assert "400 kinds" in card
    assert "designed" in card
    other = subprocess.run(
        [*command, "--seed", "8"], check=False, timeout=300, capture_output=True, text=True
    )
    assert other.returncode != 0
    assert "another value of seed" in other.stderr
