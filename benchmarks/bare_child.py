"""The process behind `benchmarks.bare`: reads JSON commands from stdin, answers on stdout."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import gemm
from benchmarks.bare_loop import BareLoop, features_of
from benchmarks.gpu.device import picture_flops
from benchmarks.memory_use import memory_of
from benchmarks.trained import train
from linewatch.products import ProductSpec, shipped_product
from linewatch.settings import Settings, get_settings
from model_store.store import ModelStore
from vision.extractor import FeatureExtractor
from workers.pipeline import torch_threads


class Child:
    """Holds one extractor and, once it was trained or loaded, one model."""

    def __init__(self, settings: Settings) -> None:
        began = time.perf_counter()
        self._settings = settings
        self._extractor = FeatureExtractor.from_settings(settings)
        torch_threads.compute_here(torch_threads.wanted(self._extractor.backend))
        self._load_s = time.perf_counter() - began
        self._store = ModelStore(settings.models_url)
        self._loop: BareLoop | None = None

    def hello(self) -> dict[str, Any]:
        """What was loaded, and what it takes in memory before any picture came."""
        return {
            "encoders": self._extractor.describe(),
            "fingerprint": self._extractor.fingerprint,
            "dim": self._extractor.dim,
            "device": str(self._extractor.device),
            "torch_threads": torch.get_num_threads(),
            "load_s": self._load_s,
            **memory_of(os.getpid()),
        }

    def fit(self, paths: list[str], labels: list[str], product: str) -> dict[str, Any]:
        """Train a model on these pictures, store it, and take it."""
        manifest = train(
            self._settings,
            self._extractor,
            cable(product),
            [(Path(path), label) for path, label in zip(paths, labels, strict=True)],
            self._features(paths),
        )
        self.take(product, manifest.version)
        patches = manifest.patches.tokens if manifest.patches else 0
        return {"version": manifest.version, "remembered_patches": patches}

    def take(self, product: str, version: str) -> dict[str, Any]:
        """Load a model that was stored before."""
        self._loop = BareLoop(
            self._extractor,
            self._store.load(product, version),
            size=cable(product).image_size,
            decode_threads=self._settings.decode_threads,
        )
        return {}

    def loop(self, paths: list[str], batch: int) -> dict[str, Any]:
        """Judge files; seconds and verdicts."""
        assert self._loop is not None, "no head yet"
        seconds, verdicts = self._loop.run([Path(path) for path in paths], batch)
        return {"seconds": seconds, "verdicts": dict(verdicts)}

    def forward(self, paths: list[str], batch: int, repeats: int) -> dict[str, Any]:
        """Seconds of each of `repeats` forwards with the whole model, of decoded pictures."""
        assert self._loop is not None, "no head yet"
        pixels = [self._loop.prepare(Path(path)).pixels for path in paths[:batch]]
        self._loop.judge(pixels)
        seconds = []
        for _ in range(repeats):
            began = time.perf_counter()
            self._loop.judge(pixels)
            seconds.append(time.perf_counter() - began)
        return {"seconds": seconds, "batch": len(pixels)}

    def features(self, paths: list[str], out: str) -> dict[str, Any]:
        """Write the pictures' features, float32 [n, d], to a .npy file."""
        np.save(out, self._features(paths))
        return {}

    def gemm(self) -> dict[str, Any]:
        """What this processor multiplies at best in this process's precision, a second."""
        rates = {"float32": gemm.float32_flops, "int8": gemm.int8_flops}
        return {"flops": rates[self._settings.precision]()}

    def picture_flops(self) -> dict[str, Any]:
        """What one picture's features take; torch alone can count it."""
        return {"flops": picture_flops(self._extractor)}

    def memory(self) -> dict[str, Any]:
        """Resident memory now and at its highest."""
        return memory_of(os.getpid())

    def _features(self, paths: list[str]) -> Any:
        return features_of(self._extractor, [Path(path) for path in paths])


def cable(product: str) -> ProductSpec:
    """The product that ships, under the name it has in this benchmark."""
    return shipped_product("cable").model_copy(update={"product": product})


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to the log
    child = Child(get_settings())
    print(json.dumps(child.hello()), file=answers)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(getattr(child, command.pop("do"))(**command)), file=answers)


if __name__ == "__main__":
    main()
