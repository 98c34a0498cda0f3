"""The pictures that recipes are compared on, prepared at both sizes that recipes ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.compact.pictures import SEED
from producer.simulator import CLASSES, render
from vision.decode import decode
from vision.preprocess import preprocess

PHOTOGRAPHS = ("mvtec-bottle", "x-sdd")
CABLE = "cable"
SIZES = (224, 336, 448)  # pixels
_CABLE_SIZE = 1024  # pixels: what products/cable.yaml demands
_SUFFIXES = (".jpg", ".png")
_MAX_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """One set: labels [n], and by side in pixels uint8 [n, 3, side, side]."""

    name: str
    labels: NDArray[np.str_]
    pixels: dict[int, torch.Tensor]

    @property
    def digest(self) -> str:
        """SHA-256 of the smallest pixels and the labels, 16 digits."""
        found = hashlib.sha256(self.pixels[SIZES[0]].numpy().tobytes())
        found.update("\n".join(self.labels.tolist()).encode())
        return found.hexdigest()[:16]


def picture_sets(
    folder: Path, cache: Path, per_class: int, only: tuple[str, ...] = ()
) -> Iterator[Pictures]:
    """Every set (or those named), at most `per_class` pictures a class, kept in `cache`."""
    for name in only or (*PHOTOGRAPHS, CABLE):
        kept = cache / f"pictures-{name}-{per_class}.npz"
        if not kept.exists():
            source = _cables(per_class) if name == CABLE else _files(folder / name, per_class)
            _keep(kept, list(source))
        with np.load(kept) as stored:
            pixels = {size: torch.from_numpy(stored[f"p{size}"]) for size in SIZES}
            yield Pictures(name, stored["labels"], pixels)


def _keep(path: Path, source: list[tuple[NDArray[np.uint8], str]]) -> None:
    arrays = {
        f"p{size}": torch.stack([preprocess(pixels, size) for pixels, _ in source]).numpy()
        for size in SIZES
    }
    np.savez(path, labels=np.asarray([label for _, label in source]), **arrays)


def _cables(per_class: int) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """The standard product under nominal conditions: the pictures of `benchmarks.compact.run`."""
    for place, kind in enumerate(CLASSES):
        for index in range(per_class):
            rng = np.random.default_rng([SEED, place, index])
            yield render(kind, rng, size=_CABLE_SIZE), kind


def _files(folder: Path, most: int) -> Iterator[tuple[NDArray[np.uint8], str]]:
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(path for path in kind.iterdir() if path.suffix.lower() in _SUFFIXES)
        chosen = np.random.default_rng(SEED).permutation(len(files))[:most]
        for index in sorted(chosen.tolist()):
            yield decode(files[index].read_bytes(), max_pixels=_MAX_PIXELS).pixels, kind.name
