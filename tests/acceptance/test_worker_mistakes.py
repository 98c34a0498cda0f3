"""A worker whose settings cannot work ends with code 2 and a sentence, and is not started again."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch

from linewatch.settings import Settings

pytestmark = pytest.mark.slow


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEWATCH_REDIS_URL", redis_url)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "worker", "--queues", "inspect", "--device", "cuda"],
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert said.count("LINEWATCH_DEVICE: there is no cuda here (0 GPUs seen)") == 1
    assert "Traceback" not in said
    assert "is not started again" in said
    assert time.monotonic() - began < 160


def test_a_database_without_tables_is_one_line_and_another_start(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever upgrades it need not start the workers: the next start finds the tables."""
    monkeypatch.setenv("LINEWATCH_REDIS_URL", redis_url)
    monkeypatch.setenv("LINEWATCH_DATABASE_URL", f"sqlite:///{settings.data_dir}/empty.db")
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "worker", "--queues", "inspect", "--no-supervise"],
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 2), said
    assert said.count("has no Linewatch tables yet; run `linewatch db upgrade`") == 1, said
    assert "Traceback" not in said
