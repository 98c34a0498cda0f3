"""How fast the compact pair is on a CPU, and how much memory it takes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch

from benchmarks.compact.encoders import shipped
from benchmarks.memory_use import memory_of
from vision.recipe import fuse

_BATCH = 32
_THREADS = 2
_SECONDS = 10.0


def speed_row(folder: Path, lock: Path | None) -> dict[str, object]:
    """Speed and memory as a row of the report.

    Args:
        folder: the weights.
        lock: a file that other programs lock too when they must not be disturbed.
    """
    with lock.open("w") if lock else nullcontext() as file:
        if file:
            fcntl.flock(file, fcntl.LOCK_EX)
        return {
            "task": "speed",
            "encoder": "compact",
            "batch": _BATCH,
            "threads": _THREADS,
            "load_average": round(os.getloadavg()[0], 1),
            **measure_speed(folder),
            **measure_memory(folder),
        }


def measure_speed(folder: Path) -> dict[str, object]:
    """Images per second from prepared pixels to features: of the median and the best batch."""
    before = torch.get_num_threads()
    torch.set_num_threads(_THREADS)
    try:
        times, cpu_s = _timed(folder)
    finally:
        torch.set_num_threads(before)
    return {
        "images_per_s": round(_BATCH / sorted(times)[len(times) // 2], 1),
        "images_per_s_best_batch": round(_BATCH / min(times), 1),
        # Where other programs share the cores, this is what two free cores would do.
        "images_per_s_by_cpu_time": round(_THREADS * _BATCH * len(times) / cpu_s, 1),
    }


def _timed(folder: Path) -> tuple[list[float], float]:
    pair = shipped(folder)
    batch = torch.randint(0, 256, (_BATCH, 3, 224, 224), dtype=torch.uint8)
    times: list[float] = []
    with torch.inference_mode():
        for _ in range(2):
            fuse(*pair(batch))
        began, cpu = time.perf_counter(), time.process_time()
        while time.perf_counter() - began < _SECONDS:
            at = time.perf_counter()
            fuse(*pair(batch))
            times.append(time.perf_counter() - at)
    return times, time.process_time() - cpu


def measure_memory(folder: Path) -> dict[str, int]:
    """The resident memory of a process that loads the pair and embeds ten batches, MB.

    Of its peak, `libraries_mb` is what torch, open_clip and transformers take when they are
    imported, before there is any network.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compact.speed", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def _memory_of_this_process(folder: Path) -> dict[str, int]:
    import open_clip  # noqa: F401
    from transformers import Dinov2Model  # noqa: F401

    libraries = _peak_mb()
    pair = shipped(folder)
    batch = torch.zeros((_BATCH, 3, 224, 224), dtype=torch.uint8)
    with torch.inference_mode():
        for _ in range(10):
            fuse(*pair(batch))
    return {"libraries_mb": libraries, "peak_memory_mb": _peak_mb()}


def _peak_mb() -> int:
    """Of this process alone: getrusage's figure has the program in it that started this one."""
    return round(memory_of(os.getpid())["peak_mib"] * 2**20 / 1e6)


if __name__ == "__main__":
    torch.set_num_threads(_THREADS)
    print(json.dumps(_memory_of_this_process(Path(sys.argv[1]))))
