"""All scenes that have been drawn, in the device's memory, and which of them make a batch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tools.train_compact.batches import emphasis
from tools.train_compact.families import CLASSES
from tools.train_compact.families.picture import DRAWN
from tools.train_compact.gpu import shards
from tools.train_compact.gpu.scenes import GROUPS

# Of a batch. A quarter is cable; the standard one, which the demonstration judges, weighs more.
SHARES: Mapping[str, float] = {
    "standard cable": 0.17,
    "cable": 0.08,
    "ground": 0.42,
    "texture": 0.12,
    "ring": 0.13,
    "mark": 0.04,
    "connector": 0.04,
}
ALIKE = 4  # pictures of one kind of ground in a batch: each has others to be like


class Pool:
    """Scenes as tensors on `device`; `grow` takes up what has been drawn since.

    Args:
        folder: of shards.
        room: scenes that there is memory for.
        device: where they lie.

    Attributes:
        known: what is known of each scene, by the names that `shards.read` gives.
    """

    def __init__(self, folder: Path, room: int, device: str) -> None:
        self._folder, self._device, self._taken = folder, device, set[int]()
        self.pixels = torch.empty((room, 3, DRAWN, DRAWN), dtype=torch.uint8, device=device)
        self.known: dict[str, torch.Tensor] = {}
        self._count = 0
        self._rows: dict[int, NDArray[np.int64]] = {}
        self._until: dict[int, NDArray[np.float64]] = {}
        self._kinds: list[NDArray[np.int64]] = []
        self.grow()

    def __len__(self) -> int:
        return self._count

    def grow(self) -> None:
        """Take up the shards that are new, as far as there is room."""
        new = [n for n in shards.whole(self._folder) if n not in self._taken]
        for shard in new:
            pixels, known = shards.read(self._folder, shard)
            self._taken.add(shard)
            end = self._count + len(pixels)
            if end > len(self.pixels):
                break
            self.pixels[self._count : end] = torch.from_numpy(pixels).permute(0, 3, 1, 2)
            for name, values in known.items():
                tensor = torch.from_numpy(values).to(self._device)
                before = self.known.get(name)
                self.known[name] = tensor if before is None else torch.cat([before, tensor])
            self._count = end
        if new and self._count:
            self._sort()

    def choose(self, size: int, rng: np.random.Generator) -> torch.Tensor:
        """The rows of a batch, int64 [`size`]: every group in its share."""
        there = {group: SHARES[GROUPS[group]] for group in self._rows}
        shares = np.array(list(there.values()))
        counts = rng.multinomial(size, shares / shares.sum())
        rows = [self._of_group(g, int(n), rng) for g, n in zip(there, counts, strict=True)]
        return torch.from_numpy(np.concatenate(rows)).to(self._device)

    def _of_group(self, group: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        if GROUPS[group] == "ground":
            kinds = rng.permutation(len(self._kinds))[: -(-count // ALIKE)]
            rows = [rng.choice(self._kinds[k], ALIKE) for k in kinds]
            short = rng.choice(self._rows[group], max(0, count - ALIKE * len(rows)))
            return np.concatenate([*rows, short])[:count]
        at = np.searchsorted(self._until[group], rng.random(count))
        return self._rows[group][at]

    def _sort(self) -> None:
        """Which rows each group and each kind has, and up to which share each row is drawn."""
        groups, classes = self.known["groups"].cpu().numpy(), self.known["classes"].cpu().numpy()
        kinds = self.known["kinds"].cpu().numpy()
        for group in np.unique(groups).tolist():
            rows = np.flatnonzero(groups == group)
            weights = np.empty(len(rows))
            for number in np.unique(classes[rows]).tolist():
                mine = classes[rows] == number
                weights[mine] = emphasis(GROUPS[group], CLASSES[number].split("/")[1]) / mine.sum()
            until = np.cumsum(weights / weights.sum())
            until[-1] = 1.0
            self._rows[group], self._until[group] = rows, until
        found = (np.flatnonzero(kinds == number) for number in np.unique(kinds[kinds >= 0]))
        self._kinds = [rows for rows in found if len(rows) > 1]
