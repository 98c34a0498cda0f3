"""Judges the compact encoders: `python -m benchmarks.compact.run --photographs FOLDER`.

Macro F1 of the seed's recipe (scaler, logistic regression, stratified 3-fold cross-validation) on
5, 10 and all pictures a class, over 20 seeded draws of pictures and folds, beside untrained
networks and classical features; zero-shot with the sentences of products/cable.yaml; speed; memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.compact.encoders import Features, encoders, shipped
from benchmarks.compact.pictures import Pool, cable_line, kept_pool, other_cables, photographs
from benchmarks.compact.report import write_report
from benchmarks.compact.speed import speed_row
from linewatch.products import shipped_product
from model_store.validation.crossval import cross_validate
from vision.weights import COMPACT

_DRAWS = 20
_PER_CLASS = (5, 10)
_LEFT_OUT = (("other cables", "untrained full size"),)  # it takes minutes, and says little


@dataclass(frozen=True, slots=True)
class Probe:
    """Macro F1 of one encoder on one pool, one value a draw."""

    pool: str
    encoder: str
    per_class: int | None  # None: all
    macro_f1: tuple[float, ...]


@click.command()
@click.option("--photographs", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), default=COMPACT)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    required=True,
    help="Keeps pictures, features and scores; empty it when the simulator changes.",
)
@click.option("--cable-per-class", default=20, show_default=True)
@click.option("--other-per-class", default=10, show_default=True)
@click.option("--most-per-class", default=20, show_default=True, help="Of photographs.")
@click.option("--out", type=click.Path(path_type=Path), default=None)
@click.option("--lock", type=click.Path(path_type=Path), help="A file: locked to time the pair.")
def main(
    folder: Path,
    weights: Path,
    cache: Path,
    cable_per_class: int,
    other_per_class: int,
    most_per_class: int,
    out: Path | None,
    lock: Path | None,
) -> None:
    """Judge the compact encoders and write benchmarks/results/compact.json."""
    cache.mkdir(parents=True, exist_ok=True)
    pools = [
        kept_pool(cache / f"cable-{cable_per_class}.npz", lambda: cable_line(cable_per_class)),
        kept_pool(cache / f"other-{other_per_class}.npz", lambda: other_cables(other_per_class)),
        *(photographs(name, folder / name, most_per_class) for name in ("mvtec-bottle", "x-sdd")),
    ]
    probes = [
        probe
        for pool in pools
        for name, embed in encoders(weights).items()
        if (pool.name, name) not in _LEFT_OUT
        for probe in _probes(cache, pool, name, _kept(cache, pool, name, weights, embed))
    ]
    settings = {
        "draws": _DRAWS,
        "folds": 3,
        "recipe": "standard scaler, logistic regression (model_store)",
        "pictures": {pool.name: len(pool.labels) for pool in pools},
        "most photographs a class": most_per_class,
        "torch threads": torch.get_num_threads(),
    }
    others = [_zero_shot(pools[0], weights), speed_row(weights, lock)]
    write_report(probes, others, settings, weights, out)


def _kept(cache: Path, pool: Pool, name: str, weights: Path, embed: Any) -> Features:
    """Features from the cache, or computed and kept there."""
    key = hashlib.sha256(f"{pool.name}/{name}".encode())
    key.update(pool.pixels.numpy().tobytes())
    for file in sorted(weights.rglob("*.safetensors")):
        if name == "compact":
            key.update(file.read_bytes())
    path = cache / f"{key.hexdigest()[:24]}.npy"
    if not path.exists():
        click.echo(f"{name}: features of {len(pool.labels)} pictures of {pool.name}", err=True)
        np.save(path, embed(pool.pixels))
    return np.asarray(np.load(path), np.float32)


def _probes(cache: Path, pool: Pool, encoder: str, features: Features) -> list[Probe]:
    found = [
        Probe(pool.name, encoder, count, _scores(cache, pool, features, count))
        for count in (*_PER_CLASS, None)
    ]
    for probe in found:
        click.echo(
            f"{probe.pool:14} {probe.encoder:20} {probe.per_class or 'all':>4} a class: "
            f"macro F1 {np.mean(probe.macro_f1):.3f}",
            err=True,
        )
    return found


def _scores(
    cache: Path, pool: Pool, features: Features, per_class: int | None
) -> tuple[float, ...]:
    """Macro F1 of every draw, or of all pictures; from the cache where it is known."""
    key = hashlib.sha256(features.tobytes() + "/".join(pool.labels).encode())
    path = cache / f"{key.hexdigest()[:24]}-{per_class or 'all'}.npy"
    if not path.exists():
        if per_class is None:
            scores = [cross_validate(features, pool.labels).macro_f1]
        else:
            scores = [_draw(pool, features, per_class, seed) for seed in range(_DRAWS)]
        np.save(path, np.array(scores))
    return tuple(np.load(path).tolist())


def _draw(pool: Pool, features: Features, per_class: int, seed: int) -> float:
    """Macro F1 on `per_class` pictures a class; the same pictures and folds for every encoder."""
    rng, labels = np.random.default_rng(seed), np.asarray(pool.labels)
    rows = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == name))[:per_class] for name in np.unique(labels)]
    )
    return cross_validate(features[rows], labels[rows].tolist(), random_state=seed).macro_f1


def _zero_shot(pool: Pool, weights: Path) -> dict[str, object]:
    """A row: accuracy of the nearest class, by the mean of its sentences' embeddings."""
    pair = shipped(weights)
    spec = shipped_product("cable")
    means = torch.stack(
        [_unit(_unit(pair.embed_text(kind.prompts)).mean(dim=0)) for kind in spec.classes]
    )
    with torch.inference_mode():
        pictures = torch.cat([_unit(pair(batch)[0]) for batch in pool.pixels.split(32)])
    said = np.asarray(spec.class_codes)[(pictures @ means.T).argmax(dim=1).numpy()]
    actual = np.asarray(pool.labels)
    return {
        "task": "zero-shot",
        "pictures": pool.name,
        "encoder": "compact",
        "accuracy": round(float((said == actual).mean()), 4),
        "recall": _recalls(said, actual),
    }


def _recalls(said: NDArray[Any], actual: NDArray[Any]) -> dict[str, float]:
    return {str(k): round(float((said[actual == k] == k).mean()), 4) for k in np.unique(actual)}


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)


if __name__ == "__main__":
    main()
