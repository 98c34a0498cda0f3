"""The files of features that the studies of the gate and of promises read.

`python -m benchmarks.studies.feature_sets --cache DIR --photographs DIR --cells DIR` writes
`DIR/sets-cable.npz`, `sets-bottle.npz`, `sets-xsdd.npz` and `sets-cells.npz`: `features` float32
[n, d] by the default recipe, `labels` [n], and `groups` [n], the part that each picture shows. Each
of these pictures is of a part of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.studies.pictures import Pictures, cable_parts, photographs
from linewatch.settings import Settings
from vision.decode import decode
from vision.extractor import FeatureExtractor
from vision.preprocess import preprocess

_BATCH = 64
Shown = Iterable[tuple[NDArray[np.uint8], str]]
_PHOTOGRAPHS = {"bottle": "mvtec-bottle", "xsdd": "x-sdd"}


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), required=True)
@click.option("--photographs", "folder", type=click.Path(exists=True, path_type=Path))
@click.option("--cells", type=click.Path(exists=True, path_type=Path), help="elpv-dataset's `data`")
def main(cache: Path, folder: Path | None, cells: Path | None) -> None:
    """Write the sets that are not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    extractor = FeatureExtractor.from_settings(
        Settings(data_dir=cache, encoders="compact", device="cpu")
    )
    _write(extractor, cache, "cable", lambda: _of(cable_parts(cache)))
    for name, kind in _PHOTOGRAPHS.items() if folder is not None else ():
        assert folder is not None
        _write(extractor, cache, name, partial(_photographs, cache, folder / kind))
    if cells is not None:
        _write(extractor, cache, "cells", lambda: _cells(cells))


def _of(pictures: Pictures) -> Shown:
    pixels = (picture for batch in pictures.batches() for picture in batch)
    return zip(pixels, pictures.labels, strict=True)


def _cells(folder: Path) -> Shown:
    """All solar cells that people were sure of: good, or defective."""
    for line in (folder / "labels.csv").read_text().splitlines():
        path, probability, _ = line.split()
        if float(probability) in (0.0, 1.0):
            picture = decode((folder / path).read_bytes(), max_pixels=10**7)
            label = "defective" if float(probability) else "good"
            yield preprocess(picture.pixels).numpy(), label


def _photographs(cache: Path, folder: Path) -> Shown:
    return _of(photographs(cache, folder))


def _write(extractor: FeatureExtractor, cache: Path, name: str, shown: Callable[[], Shown]) -> None:
    path = cache / f"sets-{name}.npz"
    if path.exists():
        return
    pixels, labels = zip(*shown(), strict=True)
    made = [
        extractor.features(torch.from_numpy(np.stack(pixels[begin : begin + _BATCH])))
        for begin in range(0, len(pixels), _BATCH)
    ]
    draft = path.with_suffix(".draft.npz")
    groups = [f"P{number}" for number in range(len(labels))]
    np.savez(draft, features=torch.cat(made).numpy(), labels=labels, groups=groups)
    draft.rename(path)
    click.echo(f"{path}: {len(labels)} pictures", err=True)


if __name__ == "__main__":
    main()
