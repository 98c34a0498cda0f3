"""The pictures of the studies, rendered or read once and kept in a cache folder as pixels.

`python -m benchmarks.studies.pictures --cache FOLDER` renders them all; a run that is stopped goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from producer.simulator import CLASSES, Drift, SimulatedLine, render
from vision.decode import decode
from vision.preprocess import preprocess

SIZE = 448  # pixels the parts are drawn with: twice what the encoders see
SEED = 55_000_000
_CHUNK = 250
_MAX_PIXELS = 100_000_000

GOOD_COUNT, DEFECT_COUNT = 360, 60
STREAM_COUNT = 10_500  # undrifted parts, of which the studies take baselines, too
DRIFT_SEEDS, FADE_COUNT, STEP_COUNT = 20, 200, 100
FADE = Drift(fade_per_part=0.001)  # a lamp that loses a fifth of its light in 200 parts
STEP = Drift(fade_per_part=0.1, darkest=0.9)  # a lamp that loses a tenth at once


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Prepared pictures in files of the cache, and what each shows."""

    name: str
    files: tuple[Path, ...]
    labels: list[str]

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        """The pixels, uint8 [≤ 250, 3, 224, 224], file by file."""
        for path in self.files:
            with np.load(path) as kept:
                yield kept["pixels"]


Part = tuple[NDArray[np.uint8], str]


def cable_parts(cache: Path) -> Pictures:
    """The cable line's parts for training: many good ones, and as many of each defect."""
    counts = {name: GOOD_COUNT if name == "good" else DEFECT_COUNT for name in CLASSES}
    kinds = [(place, name, i) for place, name in enumerate(CLASSES) for i in range(counts[name])]

    def part(index: int) -> Part:
        place, name, number = kinds[index]
        rng = np.random.default_rng([SEED, place, number])
        return _prepared(render(name, rng, size=SIZE)), name

    return _kept(cache, "cable", len(kinds), part)


def steady_stream(cache: Path) -> Pictures:
    """The line as it runs: the usual mix of classes, nothing drifts."""
    return _kept(cache, "steady", STREAM_COUNT, _line(SEED + 1, Drift()))


def drifting_streams(cache: Path, kind: str) -> list[Pictures]:
    """One stream a seed whose light fades slowly ("fade") or drops at once ("step")."""
    drift, count = (FADE, FADE_COUNT) if kind == "fade" else (STEP, STEP_COUNT)
    return [
        _kept(cache, f"{kind}-{seed}", count, _line(SEED + 100 + seed, drift))
        for seed in range(DRIFT_SEEDS)
    ]


def photographs(cache: Path, folder: Path, most_per_class: int = 120) -> Pictures:
    """Real pictures from a folder of class folders; of a larger class a seeded choice."""
    files: list[tuple[Path, str]] = []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = sorted(p for p in kind.iterdir() if p.suffix.lower() in (".jpg", ".png"))
        chosen = np.random.default_rng(SEED).permutation(len(found))[:most_per_class]
        files += [(found[index], kind.name) for index in sorted(chosen.tolist())]

    def part(index: int) -> Part:
        path, name = files[index]
        picture = decode(path.read_bytes(), max_pixels=_MAX_PIXELS)
        return preprocess(picture.pixels).numpy(), name

    return _kept(cache, folder.name, len(files), part)


def _line(seed: int, drift: Drift) -> Callable[[int], Part]:
    line = SimulatedLine(seed=seed, lines=("line-1",), cameras_per_line=1, drift=drift, size=SIZE)

    def part(index: int) -> Part:
        made = line.part(index)
        return _prepared(made.pixels), made.defect_class

    return part


def _prepared(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(preprocess(pixels).numpy())


def _kept(cache: Path, name: str, count: int, part: Callable[[int], Part]) -> Pictures:
    """The first `count` parts, in chunks that are each kept once they are whole."""
    paths, labels = [], []
    for begin in range(0, count, _CHUNK):
        path = cache / f"{name}-{begin:06d}.npz"
        if not path.exists():
            _write(path, (part(i) for i in range(begin, min(count, begin + _CHUNK))))
        with np.load(path) as kept:
            labels += kept["labels"].tolist()
        paths.append(path)
    return Pictures(name, tuple(paths), labels)


def _write(path: Path, parts: Iterable[Part]) -> None:
    pixels, labels = zip(*parts, strict=True)
    draft = path.with_suffix(".draft.npz")
    np.savez(draft, pixels=np.stack(pixels), labels=np.asarray(labels))
    draft.rename(path)
    click.echo(f"kept {path.name}", err=True)


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), required=True)
def main(cache: Path) -> None:
    """Render every picture of the studies into the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    cable_parts(cache)
    drifting_streams(cache, "fade")
    drifting_streams(cache, "step")
    steady_stream(cache)


if __name__ == "__main__":
    main()
