"""The drawn pictures on disk: drawn once, in shards, by any number of processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train_compact.families import draw
from tools.train_compact.families.picture import CELLS, SIZE

SHARD = 500  # pictures


def render_shards(folder: Path, *, seed: int, count: int, part: int = 0, parts: int = 1) -> None:
    """Draw the shards that are not there yet; process `part` of `parts` draws every `parts`-th."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(part, -(-count // SHARD), parts):
        if not _paths(folder, shard)[2].exists():
            _render(folder, shard, seed, min(SHARD, count - shard * SHARD))
            print(f"drew shard {shard} in {folder}", flush=True)


def _render(folder: Path, shard: int, seed: int, count: int) -> None:
    pixels = np.empty((count, SIZE, SIZE, 3), np.uint8)
    harmed = np.empty((count, CELLS, CELLS), np.bool_)
    facts = []
    for row in range(count):
        picture = draw(seed, shard * SHARD + row)
        pixels[row], harmed[row] = picture.pixels, picture.harmed
        facts.append(dict(picture.facts))
    images, cells, texts = _paths(folder, shard)
    np.save(images, pixels)
    np.save(cells, harmed)
    texts.write_text(json.dumps(facts), encoding="utf-8")  # last: it says that the shard is whole


def _paths(folder: Path, shard: int) -> tuple[Path, Path, Path]:
    """Of the pixels, the harmed cells and the facts."""
    name = f"{shard:04d}"
    return folder / f"{name}.npy", folder / f"{name}.harmed.npy", folder / f"{name}.json"


class Cache:
    """All whole shards in a folder. `grow` finds those that have been drawn since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[int, tuple[NDArray[np.uint8], NDArray[np.bool_]]] = {}
        self.facts: list[Mapping[str, str]] = []
        self._where: list[tuple[int, int]] = []
        self.grow()

    def __len__(self) -> int:
        return len(self.facts)

    def grow(self) -> None:
        """Add the shards that were not there before."""
        for path in sorted(self._folder.glob("*.json")):
            shard = int(path.stem)
            if shard not in self._shards:
                facts = json.loads(path.read_text(encoding="utf-8"))
                images, cells, _ = _paths(self._folder, shard)
                self._shards[shard] = np.load(images, mmap_mode="r"), np.load(cells)
                self.facts += facts
                self._where += [(shard, row) for row in range(len(facts))]

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Picture `index`, uint8 [224, 224, 3]."""
        shard, row = self._where[index]
        return self._shards[shard][0][row]

    def harmed(self, index: int) -> NDArray[np.bool_]:
        """Where picture `index` is harmed, bool [56, 56]."""
        shard, row = self._where[index]
        return self._shards[shard][1][row]
