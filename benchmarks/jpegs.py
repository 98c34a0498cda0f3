"""1024² JPEG files from the simulated line, drawn once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from producer.simulator import CLASSES, SimulatedLine, save

GOOD = "good"
_SEED = 41_000_000
_SIZE = 1024  # pixels: what products/cable.yaml demands


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A file, and the class that it was drawn to show."""

    path: Path
    label: str


def line_jpegs(
    folder: Path, per_class: int, *, good: int = 0, classes: Sequence[str] = CLASSES
) -> list[LabelledPicture]:
    """Pictures of each class, in turn; only those that are missing are drawn.

    Args:
        folder: where they lie.
        per_class: how many of each class.
        good: how many good ones, where that is more.
        classes: the classes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(classes, per_class)
    counts[GOOD] = max(counts.get(GOOD, 0), good)
    wanted = [
        LabelledPicture(folder / f"{name}-{index:03d}.jpg", name)
        for index in range(max(counts.values()))
        for name in counts
        if index < counts[name]
    ]
    missing = [picture for picture in wanted if not picture.path.exists()]
    if missing:
        with ProcessPoolExecutor() as pool:
            list(pool.map(_draw, missing))
    return wanted


def repeated(pictures: Sequence[LabelledPicture], count: int) -> list[Path]:
    """`count` paths: the pictures over and over."""
    return [picture.path for picture in islice(cycle(pictures), count)]


def _draw(picture: LabelledPicture) -> None:
    place, index = CLASSES.index(picture.label), int(picture.path.stem.rsplit("-", 1)[1])
    line = SimulatedLine(seed=_SEED + place, mix={picture.label: 1.0}, size=_SIZE)
    save(line.part(index).pixels, picture.path)
