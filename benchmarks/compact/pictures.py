"""The pictures that the compact encoders are judged on. None of them was seen in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from producer.simulator import CLASSES, STANDARD, CableDesign, render
from vision.decode import decode
from vision.preprocess import preprocess

SEED = 77_000_000  # the training's pictures come from `default_rng([small seed, index])`
_SIZE = 1024  # pixels: what products/cable.yaml demands
_SUFFIXES = (".jpg", ".png")
_MAX_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Prepared pictures, uint8 [n, 3, 224, 224], and what they show."""

    name: str
    pixels: torch.Tensor
    labels: list[str]


def cable_line(per_class: int) -> Pool:
    """The standard product under nominal conditions, as the demonstration's line makes it."""
    return _drawn("cable", ((STANDARD, SEED),), per_class)


def other_cables(per_class: int) -> Pool:
    """Two products with colours and layouts that were drawn for this test alone."""
    designs = [
        (CableDesign.random(np.random.default_rng([SEED, number])), SEED + number)
        for number in (1, 2)
    ]
    return _drawn("other cables", tuple(designs), per_class)


def kept_pool(path: Path, draw: Callable[[], Pool]) -> Pool:
    """The pool at `path`, drawn first where there is none: that takes minutes."""
    if not path.exists():
        pool = draw()
        np.savez(path, name=pool.name, pixels=pool.pixels.numpy(), labels=np.array(pool.labels))
    kept = np.load(path, allow_pickle=False)
    return Pool(str(kept["name"]), torch.from_numpy(kept["pixels"]), kept["labels"].tolist())


def photographs(name: str, folder: Path, most_per_class: int) -> Pool:
    """A folder of class folders; of a larger class a seeded choice."""
    pixels, labels = [], []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(path for path in kind.iterdir() if path.suffix.lower() in _SUFFIXES)
        chosen = np.random.default_rng(SEED).permutation(len(files))[:most_per_class]
        for index in sorted(chosen.tolist()):
            picture = decode(files[index].read_bytes(), max_pixels=_MAX_PIXELS)
            pixels.append(preprocess(picture.pixels))
            labels.append(kind.name)
    return Pool(name, torch.stack(pixels), labels)


def _drawn(name: str, designs: tuple[tuple[CableDesign, int], ...], per_class: int) -> Pool:
    drawn = [
        (preprocess(pixels), f"{number}/{kind}" if len(designs) > 1 else kind)
        for number, (design, seed) in enumerate(designs)
        for kind, pixels in _parts(design, seed, per_class)
    ]
    pixels, labels = zip(*drawn, strict=True)
    return Pool(name, torch.stack(pixels), list(labels))


def _parts(
    design: CableDesign, seed: int, per_class: int
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for place, kind in enumerate(CLASSES):
        for index in range(per_class):
            rng = np.random.default_rng([seed, place, index])
            yield kind, render(kind, rng, design=design, size=_SIZE)
