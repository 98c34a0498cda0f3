"""What the device can do at best, and what the networks get of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor

_ENOUGH_S = 0.3  # of one measurement, after warming up
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def seconds_each(action: Callable[[], object], device: torch.device, enough_s: float) -> float:
    """Seconds of `action`, called again and again without waiting in between."""
    count = 1
    while True:
        _synchronize(device)
        began = time.perf_counter()
        for _ in range(count):
            action()
        _synchronize(device)
        took = time.perf_counter() - began
        if took >= enough_s:
            return took / count
        count = max(2 * count, int(1.2 * count * enough_s / max(took, 1e-6)))


def gemm_flops(device: torch.device, precision: str, side: int, enough_s: float) -> float:
    """FLOP/s of a square product of random numbers; float32 without TF32."""
    torch.backends.cuda.matmul.allow_tf32 = False
    a, b = (torch.randn(side, side, device=device).to(_DTYPES[precision]) for _ in range(2))
    return 2 * side**3 / seconds_each(lambda: a @ b, device, enough_s)


def copy_bytes(device: torch.device, count: int, enough_s: float) -> float:
    """Bytes/s from page-locked memory of the host to the device, asynchronously."""
    host = torch.zeros(count, dtype=torch.uint8, pin_memory=device.type == "cuda")
    there = torch.zeros(count, dtype=torch.uint8, device=device)
    return count / seconds_each(lambda: there.copy_(host, non_blocking=True), device, enough_s)


def picture_flops(extractor: FeatureExtractor) -> int:
    """FLOPs of one picture's features: products, convolutions and attention."""
    from torch.utils.flop_counter import FlopCounterMode

    net: Any = extractor.backend._net  # type: ignore[attr-defined]
    size = extractor.size
    pixels = torch.zeros((1, 3, size, size), dtype=torch.uint8, device=extractor.device)
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # what is fused is not counted
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(pixels)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return int(counter.get_total_flops())


def forward(extractor: FeatureExtractor, batch: int, smoke: bool) -> dict[str, float]:
    """One batch size: latency with copies, images/s with copies overlapped, the networks alone.

    Returns:
        `latency_ms` from pixels in the host's memory to features there; `images_per_s` with the
        next batch launched before the last one's features are read; `compute_s` of the networks
        alone, a replay of their graph.
    """
    enough_s, device = (0.02 if smoke else _ENOUGH_S), extractor.device
    size, noise = extractor.size, torch.Generator().manual_seed(1)
    shape = (batch, 3, size, size)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=noise)
    HostCopy(extractor.features(pixels)).numpy()
    latency = seconds_each(lambda: HostCopy(extractor.features(pixels)).numpy(), device, enough_s)
    ahead: list[HostCopy] = []

    def overlapped() -> None:
        ahead.append(HostCopy(extractor.features(pixels)))
        if len(ahead) > 1:
            ahead.pop(0).numpy()

    streamed = seconds_each(overlapped, device, enough_s)
    return {
        "latency_ms": 1000 * latency,
        "images_per_s": batch / streamed,
        "compute_s": seconds_each(_networks(extractor, pixels), device, enough_s),
    }


def _networks(extractor: FeatureExtractor, pixels: torch.Tensor) -> Callable[[], object]:
    """The networks alone, on pictures that are on the device."""
    captured = getattr(extractor.backend, "_captured", None)
    if captured is None:
        return lambda: extractor.features(pixels)
    graph, stream = captured[len(pixels)].graph, extractor.backend._compute  # type: ignore[attr-defined]

    def replay() -> None:
        with torch.cuda.stream(stream):
            graph.replay()

    return replay


def about(device: torch.device) -> dict[str, Any]:
    """The device and the libraries that drive it."""
    if device.type != "cuda":
        return {"device": "this processor"}
    properties = torch.cuda.get_device_properties(device)
    return {
        "device": properties.name,
        "device_memory_gib": round(properties.total_memory / 2**30),
        "multiprocessors": properties.multi_processor_count,
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
    }


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
