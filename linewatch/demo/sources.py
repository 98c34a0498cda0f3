"""Where the demonstration's pictures come from: the simulator, or a folder of class folders."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from linewatch.errors import ProductError
from linewatch.products import ProductSpec, shipped_product

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
LINES = ("line-1", "line-2")
CAMERAS_PER_LINE = 2
LOT_SIZE = 20  # parts: of as many a p chart has subgroups


@dataclass(frozen=True, slots=True)
class DemoPicture:
    """A picture on disk, what it shows, and which station took it.

    Lots of the shift have names of their own.
    """

    path: Path
    truth: str
    line: str
    camera: str
    part: str
    lot: str


class PictureSource(Protocol):
    """First pictures, that people label; then a shift, that the first model judges."""

    product: ProductSpec
    root: Path
    first_count: int
    shift_count: int

    def first(self) -> Iterator[DemoPicture]:
        """The pictures that arrive before any model exists."""

    def shift(self) -> Iterator[DemoPicture]:
        """The pictures of the shift."""


class SimulatedSource:
    """Renders cables. The shift's defect mix is the simulator's; the first pictures are even.

    Args:
        folder: where the pictures are written.
        parts: how many parts the shift has.
        first_per_class: how many pictures a class people label first.
        seed: the same seed gives the same pictures.
    """

    def __init__(self, folder: Path, *, parts: int, first_per_class: int, seed: int) -> None:
        from producer.simulator import CLASSES

        self.product = shipped_product("cable")
        self.root = folder
        self.first_count = first_per_class * len(CLASSES)
        self.shift_count = parts
        self._seed = seed
        self._even = dict.fromkeys(CLASSES, 1.0)

    def first(self) -> Iterator[DemoPicture]:
        """Render the same number of each class."""
        from producer.simulator import CLASSES, SimulatedLine

        per_class = self.first_count // len(CLASSES)
        for place, name in enumerate(CLASSES):
            line = SimulatedLine(seed=self._seed + 1000 + place, mix={name: 1.0}, lot_size=LOT_SIZE)
            yield from self._save(line, per_class, folder=f"first/{name}", prefix=f"F{place}")

    def shift(self) -> Iterator[DemoPicture]:
        """Render the shift."""
        from producer.simulator import SimulatedLine

        line = SimulatedLine(seed=self._seed, lot_size=LOT_SIZE)
        yield from self._save(line, self.shift_count, folder="shift", prefix="C")

    def _save(self, line: object, count: int, *, folder: str, prefix: str) -> Iterator[DemoPicture]:
        from producer.simulator import SimulatedLine, save

        assert isinstance(line, SimulatedLine)
        for part in line.parts(count):
            path = self.root / folder / f"{prefix}-{part.serial}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            save(part.pixels, path)
            yield DemoPicture(
                path,
                part.defect_class,
                part.line,
                part.camera,
                part=f"{prefix}-{part.serial}",
                lot=f"{prefix}-{part.lot}",
            )


class FolderSource:
    """Real pictures: each sub-folder of `folder` is a class.

    Args:
        folder: the class sub-folders.
        first_per_class: how many of each are labelled first; never more than half of a class.
        seed: shuffles the pictures.
    """

    def __init__(self, folder: Path, *, first_per_class: int, seed: int) -> None:
        self.product = ProductSpec.from_folder(folder, product=_product_code(folder))
        self.root = folder.resolve()
        self._first: list[tuple[Path, str]] = []
        self._shift: list[tuple[Path, str]] = []
        shuffle = random.Random(seed)  # noqa: S311 - an order, not a secret
        for name in self.product.class_codes:
            pictures = sorted(
                path
                for path in (self.root / name).rglob("*")
                if path.suffix.lower() in PICTURE_SUFFIXES
            )
            shuffle.shuffle(pictures)
            count = min(first_per_class, len(pictures) // 2)
            self._first += [(path, name) for path in pictures[:count]]
            self._shift += [(path, name) for path in pictures[count:]]
        if not self._first:
            raise ProductError(f"{folder} has no pictures in its class sub-folders")
        shuffle.shuffle(self._shift)
        self.first_count = len(self._first)
        self.shift_count = len(self._shift)

    def first(self) -> Iterator[DemoPicture]:
        """The pictures that are labelled first."""
        return self._pictures(self._first, "F")

    def shift(self) -> Iterator[DemoPicture]:
        """All others, in random order."""
        return self._pictures(self._shift, "S")

    @staticmethod
    def _pictures(pictures: list[tuple[Path, str]], prefix: str) -> Iterator[DemoPicture]:
        for index, (path, truth) in enumerate(pictures):
            station = index % (len(LINES) * CAMERAS_PER_LINE)
            yield DemoPicture(
                path,
                truth,
                line=LINES[station // CAMERAS_PER_LINE],
                camera=f"cam-{station + 1}",
                part=f"{prefix}{index + 1:06d}",
                lot=f"{prefix}-lot-{index // LOT_SIZE + 1:03d}",
            )


def _product_code(folder: Path) -> str:
    code = "".join(c if c.isalnum() or c in "_.-" else "-" for c in folder.resolve().name)
    return code.strip("-._") or "product"
