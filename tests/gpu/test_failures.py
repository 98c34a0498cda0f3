"""A device without memory, and one that is lost: only a GPU can show them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from tests.gpu.conftest import Make
from workers.pipeline.device_errors import DeviceError, device_error


def test_out_of_memory_is_known_as_such_and_passes(
    gpu: torch.device, make: Make, pictures: torch.Tensor
) -> None:
    extractor = make(str(gpu))
    batch = pictures[torch.arange(32) % len(pictures)]
    expected = extractor.features(batch).cpu()
    torch.cuda.synchronize(gpu)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.0, gpu)  # nothing beyond what is held
    try:
        with pytest.raises(RuntimeError) as caught:
            _ = [extractor.features(batch) for _ in range(64)]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, gpu)
    assert device_error(caught.value) is DeviceError.OUT_OF_MEMORY
    torch.testing.assert_close(extractor.features(batch).cpu(), expected, atol=2e-5, rtol=0)


def test_a_lost_device_gives_back_all_that_was_under_way(gpu: torch.device) -> None:
    """In a process of its own, whose CUDA context is unusable afterwards."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu.lose_device", str(gpu)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["lost"] is True
    assert said["told"] == 1
    assert set(said["failures"]) <= {"DrainingError"}
    assert said["rows"] + len(said["failures"]) == said["pictures"]
    assert len(said["failures"]) >= said["pictures"] // 2
