"""The pictures of the study of parts unlike good, with the places of the flaws where known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.pictures import SIZE, photographs
from producer.simulator import CLASSES, render
from vision.decode import decode
from vision.preprocess import preprocess

GOOD = "good"
_SEED = 57_000_000
_CABLES, _FLAWED = 160, 12  # good ones, and of each defect
_CELLS, _CRACKED = 240, 160
_VISIBLE = 12  # grey levels by which a flaw's pixels differ from the same part's without it
_PLACES = 14


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Pictures, uint8 [n, 3, 224, 224], their labels, and bool [n, 14, 14] of where flaws lie."""

    name: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.str_]
    flaws: NDArray[np.bool_] | None = None


def shown_sets(cache: Path, real: Path | None, cells: Path | None) -> Iterator[Shown]:
    """The simulated cable; bottles and solar cells where there are folders of them.

    Args:
        cache: keeps what was made.
        real: holds `mvtec-bottle`.
        cells: the folder `data` of the package elpv-dataset (CC BY-NC-SA 4.0, for evaluation only).
    """
    yield _kept(cache, "cable", _cables)
    if real is not None:
        bottles = photographs(cache, real / "mvtec-bottle")
        pixels = np.concatenate(list(bottles.batches()))
        yield Shown("mvtec-bottle", pixels, np.asarray(bottles.labels))
    if cells is not None:
        yield _kept(cache, "solar cells", lambda: _solar_cells(cells))


def _cables() -> Shown:
    pixels, labels, flaws = [], [], []
    for place, kind in enumerate(CLASSES):
        for number in range(_CABLES if kind == GOOD else _FLAWED):
            seed = [_SEED, place, number]
            part = render(kind, np.random.default_rng(seed), size=SIZE)
            sound = render(GOOD, np.random.default_rng(seed), size=SIZE)
            differs = np.abs(part.astype(int) - sound).max(axis=2) > _VISIBLE
            cell = SIZE // _PLACES
            flaws.append(differs.reshape(_PLACES, cell, _PLACES, cell).any(axis=(1, 3)))
            pixels.append(preprocess(part).numpy())
            labels.append(kind)
    return Shown("cable", np.stack(pixels), np.asarray(labels), np.stack(flaws))


def _solar_cells(folder: Path) -> Shown:
    """Cells that all agree on: surely good, or surely defective."""
    rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
    kinds = {0.0: (GOOD, _CELLS), 1.0: ("defective", _CRACKED)}
    pixels, labels = [], []
    for sure, (kind, most) in kinds.items():
        files = [path for path, probability, _ in rows if float(probability) == sure]
        for index in np.sort(np.random.default_rng(_SEED).permutation(len(files))[:most]):
            picture = decode((folder / files[index]).read_bytes(), max_pixels=10**7)
            pixels.append(preprocess(picture.pixels).numpy())
            labels.append(kind)
    return Shown("solar cells", np.stack(pixels), np.asarray(labels))


def _kept(cache: Path, name: str, make: Callable[[], Shown]) -> Shown:
    path = cache / f"unlike-good-{name.replace(' ', '-')}.npz"
    if not path.exists():
        click.echo(f"pictures of {name}", err=True)
        made = make()
        flaws = np.zeros(0, bool) if made.flaws is None else made.flaws
        np.savez(path, pixels=made.pixels, labels=made.labels, flaws=flaws)
    with np.load(path) as kept:
        flaws = kept["flaws"]
        return Shown(name, kept["pixels"], kept["labels"], flaws if flaws.size else None)
