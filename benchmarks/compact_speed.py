"""How fast the compact pair is on a CPU, and how much memory it takes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import torch

from benchmarks.compact_encoders import shipped
from vision.recipe import fuse

_BATCH = 32
_SECONDS = 10.0


def measure_speed(folder: Path, threads: int = 2) -> dict[str, object]:
    """Images per second from prepared pixels to features: of the median and the best batch."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        times, cpu_s = _timed(folder)
    finally:
        torch.set_num_threads(before)
    return {
        "images_per_s": _BATCH / sorted(times)[len(times) // 2],
        "images_per_s_best_batch": _BATCH / min(times),
        # Where other programs share the cores, this is what two free cores would do.
        "images_per_s_by_cpu_time": threads * _BATCH * len(times) / cpu_s,
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


def measure_memory_mib(folder: Path) -> float:
    """The peak resident memory of a process that loads the pair and embeds ten batches, MiB."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compact_speed", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def _peak_of_this_process(folder: Path) -> float:
    import resource

    pair = shipped(folder)
    batch = torch.zeros((_BATCH, 3, 224, 224), dtype=torch.uint8)
    for _ in range(10):
        fuse(*pair(batch))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(_peak_of_this_process(Path(sys.argv[1])))
