"""The labelled sets of the studies as features, and how a decided model judges them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.features import Encoders
from benchmarks.studies.pictures import cable_parts, photographs
from model_store.heads.head import Head
from model_store.novelty.distances import Distances
from model_store.verdicts.decisions import Decided
from model_store.verdicts.verdict import Judgement, judge
from quality.arrays import Floats

PHOTOGRAPHS = ("mvtec-bottle", "x-sdd")


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """float64 [n, d] features, [n] labels, and which class is good."""

    name: str
    features: Floats
    labels: NDArray[np.str_]
    good: str | None

    @property
    def classes(self) -> list[str]:
        """Sorted."""
        return sorted(set(self.labels.tolist()))


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every study is told: where its cache is, real pictures, weights."""
    for option in (
        click.option("--weights", type=click.Path(exists=True, path_type=Path), default=None),
        click.option("--photographs", type=click.Path(exists=True, path_type=Path), default=None),
        click.option("--cache", type=click.Path(path_type=Path), required=True),
    ):
        command = option(command)
    return command


def labelled_sets(encoders: Encoders, cache: Path, folder: Path | None) -> list[Labelled]:
    """The simulated cable, and where there is a folder of them the real pictures."""
    cable = cable_parts(cache)
    found = [Labelled("cable", encoders.features(cable), np.asarray(cable.labels), "good")]
    for name in PHOTOGRAPHS if folder is not None else ():
        assert folder is not None
        pictures = photographs(cache, folder / name)
        labels = np.asarray(pictures.labels)
        good = "good" if "good" in pictures.labels else None
        found.append(Labelled(name, encoders.features(pictures), labels, good))
    return found


def split(labels: NDArray[np.str_], share: float, seed: int) -> NDArray[np.bool_]:
    """A seeded `share` of each class, at least one picture of it."""
    rng, chosen = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for name in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == name))
        chosen[rows[: max(1, round(share * len(rows)))]] = True
    return chosen


def probabilities(head: Head, features: Floats) -> Floats:
    """float64 [n, k]."""
    weight, bias = head.affine()
    logits = features @ weight.T + bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def judgements(decided: Decided, features: Floats, good: str | None) -> list[Judgement]:
    """What a worker would say of each part."""
    far = Distances(
        None if decided.novelty is None else decided.novelty.distances(features),
        None if decided.one_class is None else decided.one_class.measure.distances(features),
    )
    return [
        judge(
            row.tolist(),
            classes=decided.head.classes,
            good_class=good,
            thresholds=decided.thresholds,
            distance=distance,
            from_good=from_good,
        )
        for row, (distance, from_good, _) in zip(
            probabilities(decided.head, features), far.rows(len(features)), strict=True
        )
    ]
