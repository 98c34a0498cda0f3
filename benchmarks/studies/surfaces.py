"""Recipes and heads for surfaces, on sets that no encoder was drawn for and on the simulated cable.

`python -m benchmarks.studies.surfaces --cache DIR --photographs DIR`. Every candidate gets the same
pictures in the same folds: so many of each class drawn, stratified 3-fold cross-validation, macro
F1 of the folds together. Rivals: the recipe and head of version 0.1.0; texture alone; gradients and
colours with a support vector machine. Solar cells come from the package `elpv-dataset` (Deitsch et
al., CC BY-NC-SA 4.0, for evaluation only); of them those of probability 0 and 1. No set here tells
which pictures show one part: each picture is a part.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.classical import classical_features
from benchmarks.intervals import of_values
from benchmarks.studies import report
from linewatch.settings import Settings
from model_store.heads.baselines import fit_rival
from model_store.heads.blas import one_blas_thread
from producer.simulator import CLASSES, render
from vision.decode import decode
from vision.extractor import FeatureExtractor
from vision.preprocess import preprocess
from vision.texture import WIDTH

SETS = ("bottle", "cells", "cable", "xsdd")
SIZES: dict[str, int | None] = {"10": 10, "all": 60}
MOST, GOOD_CABLES = 120, 180
FOLDS, SEED, BATCH = 3, 77_000_000, 16
PATCH_PARTS, PARTS = 8, 12  # of `patches` and of `surface`, which begins with the same
Features = NDArray[np.float64]
Picture = tuple[NDArray[np.uint8], str]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """float64 [n, d] features of recipe `surface`, [n, h] classical ones, and [n] labels."""

    surface: Features
    classical: Features
    labels: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Columns and a kind of head; `svm` is no head of ours."""

    name: str
    columns: str
    head: str

    def of(self, data: Labelled) -> Features:
        """The columns, [n, d]; part of `surface` and `patches` differ by a constant factor."""
        if self.columns == "classical":
            return data.classical
        if self.columns == "texture":
            return data.surface[:, -WIDTH:]
        if self.columns == "patches":
            return data.surface[:, : _first_columns(data.surface)]
        return data.surface


RIVALS = (
    Candidate("0.1.0: patches, logistic", "patches", "logistic"),
    Candidate("texture, lda", "texture", "lda"),
    Candidate("HOG and colour, SVM", "classical", "svm"),
)
CANDIDATES = (
    Candidate("patches, nested", "patches", "nested"),
    Candidate("patches, fisher", "patches", "fisher"),
    Candidate("surface, logistic", "surface", "logistic"),
    Candidate("surface, nested", "surface", "nested"),
    Candidate("surface, lda", "surface", "lda"),
    Candidate("surface, fisher", "surface", "fisher"),
)


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), required=True)
@click.option("--photographs", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--draws", default=20)
@click.option("--only", multiple=True, type=click.Choice(SETS))
@click.option("--per-class", "sizes", multiple=True, type=click.Choice(list(SIZES)))
def main(
    cache: Path, photographs: Path, draws: int, only: tuple[str, ...], sizes: tuple[str, ...]
) -> None:
    """Compare, and write benchmarks/results/study_surfaces.json; rows of others stay in it."""
    cache.mkdir(parents=True, exist_ok=True)
    sources = _sources(photographs)
    wanted = {(name, size) for name in only or SETS for size in sizes or SIZES}
    rows = [row for row in _before() if (row["pictures"], row["per_class"]) not in wanted]
    for name, size in sorted(wanted):
        data = _kept(cache, name, sources[name])
        rows += _compared(name, size, data, SIZES[size], draws)
        _write(rows)  # a run that is stopped leaves what it has


def _before() -> list[dict[str, Any]]:
    path = report.RESULTS / "study_surfaces.json"
    found: Any = report.read("study_surfaces")["rows"] if path.exists() else []
    return list(found)


def _compared(
    name: str, size: str, data: Labelled, most: int | None, draws: int
) -> list[dict[str, Any]]:
    """A row a candidate: its macro F1, and how far it is from the best rival, draw by draw."""
    everyone = (*RIVALS, *CANDIDATES)
    columns = {one.name: one.of(data) for one in everyone}
    scores: dict[str, list[float]] = {one.name: [] for one in everyone}
    for seed in range(draws):
        rows, folds = _draw(data.labels, most, seed)
        for one in everyone:
            found = _macro_f1(columns[one.name][rows], data.labels[rows], folds, one.head)
            scores[one.name].append(found)
        click.echo(f"{name} {size}: draw {seed + 1} of {draws}", err=True)
    best = max(RIVALS, key=lambda rival: float(np.mean(scores[rival.name]))).name
    made = []
    for one in everyone:
        gains = np.subtract(scores[one.name], scores[best])
        interval = of_values(gains.tolist())
        made.append(
            {
                "pictures": name,
                "per_class": size,
                "candidate": one.name,
                "macro_f1": round(float(np.mean(scores[one.name])), 4),
                "best_rival": best,
                "minus_best_rival": round(float(gains.mean()), 4),
                "low": interval.low,
                "high": interval.high,
                "draws": draws,
            }
        )
    return made


def _write(rows: list[dict[str, Any]]) -> None:
    settings = {"folds": FOLDS, "all": "60 a class at most", "encoders": "compact"}
    ratios = {
        f"{row['pictures']}_{row['per_class']}_{row['candidate']}": row["minus_best_rival"]
        for row in rows
        if row["candidate"] in {one.name for one in CANDIDATES}
    }
    report.write("study_surfaces", settings=settings, rows=rows, ratios=ratios)


def _draw(
    labels: NDArray[np.str_], most: int | None, seed: int
) -> tuple[NDArray[np.intp], list[tuple[NDArray[np.intp], NDArray[np.intp]]]]:
    """Rows, and the folds of them."""
    from sklearn.model_selection import StratifiedKFold

    rng = np.random.default_rng([SEED, seed])
    kinds = [rng.permutation(np.flatnonzero(labels == k))[:most] for k in np.unique(labels)]
    rows = np.concatenate(kinds)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return rows, list(splitter.split(rows, labels[rows]))


def _macro_f1(
    x: Features,
    labels: NDArray[np.str_],
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    head: str,
) -> float:
    from sklearn.metrics import f1_score

    said = np.empty_like(labels)
    for train, test in folds:
        said[test] = _said(x[train], labels[train], x[test], head)
    return float(f1_score(labels, said, average="macro", zero_division=0))


def _said(x: Features, labels: NDArray[np.str_], unseen: Features, head: str) -> NDArray[Any]:
    if head == "svm":
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        with one_blas_thread():
            found: NDArray[Any] = (
                make_pipeline(StandardScaler(), SVC(C=10.0)).fit(x, labels).predict(unseen)
            )
        return found
    fitted = fit_rival(x, labels.tolist(), head)  # type: ignore[arg-type]
    weight, bias = fitted.affine()
    return np.asarray(fitted.classes)[(unseen @ weight.T + bias).argmax(axis=1)]


def _first_columns(surface: Features) -> int:
    """Where the eighth of twelve parts ends: every part of a vector is as long as any other."""
    share = np.cumsum(np.mean(surface**2, axis=0))
    return int(np.abs(share - PATCH_PARTS / PARTS).argmin()) + 1


def _kept(cache: Path, name: str, source: Callable[[], Iterator[Picture]]) -> Labelled:
    path = cache / f"surfaces-{name}.npz"
    if not path.exists():
        np.savez(path, **_computed(cache, list(source())))
    with np.load(path) as kept:
        rounded = kept["surface"].astype(np.float16)  # as the database keeps them
        return Labelled(
            rounded.astype(np.float64), kept["classical"].astype(np.float64), kept["labels"]
        )


def _computed(cache: Path, pictures: list[Picture]) -> dict[str, NDArray[Any]]:
    settings = Settings(data_dir=cache, encoders="compact", device="cpu", recipe="surface")
    extractor = FeatureExtractor.from_settings(settings)
    pixels = torch.stack([preprocess(picture, extractor.size) for picture, _ in pictures])
    made = [extractor.features(batch) for batch in pixels.split(BATCH)]
    labels = np.asarray([label for _, label in pictures])
    classical = classical_features(pixels)
    return {"surface": torch.cat(made).numpy(), "classical": classical, "labels": labels}


def _sources(photographs: Path) -> dict[str, Callable[[], Iterator[Picture]]]:
    return {
        "bottle": lambda: _folder(photographs / "mvtec-bottle"),
        "xsdd": lambda: _folder(photographs / "x-sdd"),
        "cells": _cells,
        "cable": _cables,
    }


def _folder(folder: Path) -> Iterator[Picture]:
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(p for p in kind.iterdir() if p.suffix.lower() in (".jpg", ".png"))
        chosen = np.random.default_rng(SEED).permutation(len(files))[:MOST]
        for index in sorted(chosen.tolist()):
            yield _decoded(files[index]), kind.name


def _cells() -> Iterator[Picture]:
    found = importlib.util.find_spec("elpv_dataset")
    if found is None or found.origin is None:
        raise click.ClickException("solar cells: pip install elpv-dataset (for evaluation only)")
    folder = Path(found.origin).parent / "data"
    lines = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
    for name, certain in (("good", 0.0), ("defective", 1.0)):
        files = [folder / line[0] for line in lines if float(line[1]) == certain]
        chosen = np.random.default_rng(SEED).permutation(len(files))[:MOST]
        for index in sorted(chosen.tolist()):
            yield _decoded(files[index]), name


def _cables() -> Iterator[Picture]:
    for place, kind in enumerate(CLASSES):
        for index in range(GOOD_CABLES if kind == "good" else 60):
            yield render(kind, np.random.default_rng([SEED, place, index]), size=1024), kind


def _decoded(path: Path) -> NDArray[np.uint8]:
    return decode(path.read_bytes(), max_pixels=100_000_000).pixels


if __name__ == "__main__":
    main()
