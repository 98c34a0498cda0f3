"""Batches of cached pictures, each a little different every time, with what is true of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from tools.train_compact.cache import Cache
from tools.train_compact.families import CLASSES
from tools.train_compact.families.picture import CELLS, SIZE

# The line of the demonstration weighs most: it is what an installation without weights judges.
SHARES: Mapping[str, float] = {
    "standard cable": 0.5,
    "cable": 0.12,
    "texture": 0.17,
    "ring": 0.15,
    "mark": 0.03,
    "connector": 0.03,
}
# Small defects take the longest to learn, and what they are mistaken for.
EMPHASIS: Mapping[str, float] = {
    "good": 1.4,
    "bent_wire": 1.4,
    "combined": 1.4,
    "cut_inner_insulation": 2.0,
    "poke_insulation": 2.2,
}
_UNMOVED = 0.25  # the share of pictures that stay as sharp as they are
_CLASS_INDEX = {name: index for index, name in enumerate(CLASSES)}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures with what is known of them."""

    pixels: torch.Tensor  # uint8 [n, 3, 224, 224]
    classes: torch.Tensor  # int64 [n], indices into `CLASSES`
    parts: torch.Tensor  # bool [n, classes], the single defects on each; none on a good part
    harmed: torch.Tensor  # bool [n, 56, 56], where they are
    facts: list[Mapping[str, str]]

    def to(self, device: str) -> Batch:
        """The same on another device."""
        tensors = (self.pixels, self.classes, self.parts, self.harmed)
        return Batch(*(tensor.to(device) for tensor in tensors), self.facts)


class Batches:
    """Draws batches at random; every group in its share, its classes by `EMPHASIS` or alike.

    Args:
        cache: the drawn pictures. New shards are taken up as they appear.
        size: pictures a batch.
    """

    def __init__(self, cache: Cache, size: int) -> None:
        self._cache, self._size = cache, size
        self._weigh()

    def draw(self, rng: np.random.Generator) -> Batch:
        """The next batch."""
        rows = np.searchsorted(self._until, rng.random(self._size)).tolist()
        pixels, harmed, facts = [], [], []
        for row in rows:
            known = self._cache.facts[row]
            warp = random_warp(known, rng)
            pixels.append(torch.from_numpy(_relit(_warped(self._cache.pixels(row), warp), rng)))
            harmed.append(torch.from_numpy(_warped_cells(self._cache.harmed(row), warp)))
            facts.append({name: known[name] for name in known if name != "place"})
        return Batch(
            torch.stack(pixels).permute(0, 3, 1, 2).contiguous(),
            torch.tensor([class_of(known) for known in facts]),
            torch.stack([parts_of(known) for known in facts]),
            torch.stack(harmed),
            facts,
        )

    def grow(self) -> None:
        """Take up what has been drawn since."""
        self._cache.grow()
        self._weigh()

    def _weigh(self) -> None:
        """Up to which share of all draws each picture, and those before it, are drawn."""
        kinds = [(_group_of(known), known["defect"]) for known in self._cache.facts]
        pictures, groups = Counter(kinds), defaultdict[str, float](float)
        for group, defect in pictures:
            groups[group] += emphasis(group, defect)
        weights = np.array(
            [SHARES[g] * emphasis(g, d) / groups[g] / pictures[g, d] for g, d in kinds]
        )
        self._until = np.cumsum(weights / weights.sum())
        self._until[-1] = 1.0


def _group_of(facts: Mapping[str, str]) -> str:
    return "standard cable" if facts.get("size") == "1024" else facts["family"]


def emphasis(group: str, defect: str) -> float:
    """How much a class weighs in its group; alike, but for the defects of cables."""
    return EMPHASIS.get(defect, 1.0) if "cable" in group else 1.0


def class_of(facts: Mapping[str, str]) -> int:
    """The index into `CLASSES` of a picture."""
    return _CLASS_INDEX[f"{facts['family']}/{facts['defect']}"]


def parts_of(facts: Mapping[str, str]) -> torch.Tensor:
    """Which single defects a picture shows, bool [classes]."""
    shown = torch.zeros(len(CLASSES), dtype=torch.bool)
    if facts["defect"] != "good":
        for defect in facts.get("parts", facts["defect"]).split(","):
            shown[_CLASS_INDEX[f"{facts['family']}/{defect}"]] = True
    return shown


def random_warp(facts: Mapping[str, str], rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn, shift, scale and mirror: float [2, 3].

    A cable of the standard product is never mirrored, for that would swap its conductors.
    """
    if rng.random() < _UNMOVED:
        return np.eye(2, 3)
    cable = facts["family"] == "cable"
    turn = rng.normal(0, 4 if cable else 8)
    if facts["family"] in ("ring", "texture"):
        turn += 90 * rng.integers(4)
    scale = float(np.exp(rng.normal(0, 0.03 if cable else 0.1)))
    warp = np.asarray(cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), turn, scale))
    warp[:, 2] += rng.normal(0, 3, 2)
    if facts.get("standard") != "yes" and facts["family"] != "mark" and rng.random() < 0.5:
        warp = warp @ np.array([[-1, 0, SIZE - 1], [0, 1, 0], [0, 0, 1]])
    return warp


def _warped(pixels: NDArray[np.uint8], warp: NDArray[np.float64]) -> NDArray[np.uint8]:
    moved = cv2.warpAffine(pixels, warp, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def _warped_cells(cells: NDArray[np.bool_], warp: NDArray[np.float64]) -> NDArray[np.bool_]:
    smaller = warp * [[1, 1, CELLS / SIZE]]
    grey = np.where(cells, np.uint8(255), np.uint8(0))
    moved = cv2.warpAffine(grey, smaller, (CELLS, CELLS), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved > 100)


def _relit(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    gain = rng.uniform(0.85, 1.15) * (1 + rng.normal(0, 0.02, 3))
    ramp = np.arange(256)[:, None] * gain + rng.normal(0, 6)
    return np.asarray(cv2.LUT(pixels, np.clip(ramp, 0, 255).astype(np.uint8)[None]), np.uint8)
