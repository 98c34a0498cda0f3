"""Compares recipes and heads.

`python -m benchmarks.recipes.run --photographs FOLDER --weights FOLDER`.

Every candidate is asked about the same pictures in the same folds by the same encoders, so the
differences are paired. Macro F1 is that of stratified 3-fold cross-validation over 10 pictures a
class, drawn anew each time. Scores are kept in --cache, and a run that was interrupted goes on.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click
import numpy as np

from benchmarks.compact.encoders import shipped, untrained_full_size
from benchmarks.recipes.candidates import CANDIDATES, SEED, Candidate
from benchmarks.recipes.columns import Columns, part_columns, weights_digest
from benchmarks.recipes.cost import flops
from benchmarks.recipes.draws import draw, fused, macro_f1
from benchmarks.recipes.extras import PROMPTS
from benchmarks.recipes.pictures import CABLE, PHOTOGRAPHS, Pictures, picture_sets
from benchmarks.recipes.report import Scores, write_report
from linewatch.products import shipped_product
from vision.encoders import EncoderPair
from vision.parts import parse_part

FIRST_DRAW = 100  # draws below this one were looked at while recipes were thought up


@click.command()
@click.option("--photographs", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Compact ones.")
@click.option("--full-size", is_flag=True, help="Networks of full size, untrained.")
@click.option("--cache", type=click.Path(path_type=Path), required=True)
@click.option("--set", "only", multiple=True, type=click.Choice([*PHOTOGRAPHS, CABLE]))
@click.option("--views", default="whole,flip,fine,tiles", show_default=True)
@click.option("--draws", default=20, show_default=True)
@click.option("--per-class", default=10, show_default=True)
@click.option("--pool", default=30, show_default=True, help="Pictures a class to draw from.")
@click.option("--pattern", default="", help="Only candidates whose name contains it; and the seed.")
@click.option("--kept-only", is_flag=True, help="Score nothing: report what the cache holds.")
@click.option("--report/--no-report", default=True, help="Write benchmarks/results/recipes.json.")
def main(
    photographs: Path,
    weights: Path | None,
    full_size: bool,
    cache: Path,
    only: tuple[str, ...],
    views: str,
    draws: int,
    per_class: int,
    pool: int,
    pattern: str,
    kept_only: bool,
    report: bool,
) -> None:
    """Score every candidate and write the comparison."""
    if (weights is None) != full_size:
        raise click.UsageError("name either --weights FOLDER or --full-size")
    pair = untrained_full_size() if weights is None else shipped(weights)
    encoders = _encoders(weights)
    found: list[Scores] = []
    for pictures in picture_sets(photographs, cache, pool, only):
        columns = part_columns(pair, pictures, cache, views.split(","))
        if not full_size and pictures.name == CABLE:
            columns[PROMPTS] = _similarities(pair, columns["clip.embedding"])
        kept = cache / f"scores-{weights_digest(pair)}-{pictures.name}-{pictures.digest}.json"
        for candidate in CANDIDATES:
            if not _possible(candidate, columns, pictures):
                continue
            if pattern not in candidate.name and candidate is not SEED:
                continue
            values = _kept(kept, candidate, columns, pictures, per_class, draws, kept_only)
            if values is None:
                continue
            found.append(Scores(encoders, pictures.name, candidate.name, per_class, values))
            click.echo(f"{pictures.name:14} {candidate.name:28} {np.mean(values):.3f}", err=True)
    if report:
        costs = {c.name: _cost(pair, c) for c in CANDIDATES}
        about = {"draws": draws, "first draw": FIRST_DRAW, "folds": 3, "pool a class": pool}
        write_report(found, costs, about, encoders)


def _kept(
    path: Path,
    candidate: Candidate,
    columns: Columns,
    pictures: Pictures,
    per_class: int,
    draws: int,
    kept_only: bool,
) -> tuple[float, ...] | None:
    """One macro F1 a draw, from the cache where it is there."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    what = f"{candidate.parts} {candidate.head} {candidate.extra} {per_class} {draws} {FIRST_DRAW}"
    key = hashlib.sha256(what.encode()).hexdigest()[:16]
    if key not in known and kept_only:
        return None
    if key not in known:
        features = fused(columns, candidate.parts)
        known[key] = [
            macro_f1(
                candidate, features, columns, pictures.labels, draw(pictures.labels, per_class, n)
            )
            for n in range(FIRST_DRAW, FIRST_DRAW + draws)
        ]
        path.write_text(json.dumps(known), encoding="utf-8")
    return tuple(known[key])


def _possible(candidate: Candidate, columns: Columns, pictures: Pictures) -> bool:
    if any(part not in columns for part in candidate.parts):
        return False
    if candidate.extra == "prompts":
        return PROMPTS in columns
    needed = {"good": "good", "combined": "combined"}.get(candidate.extra)
    return needed is None or needed in pictures.labels


def _similarities(pair: EncoderPair, embeddings: np.ndarray) -> np.ndarray:
    """Cosine of each picture to the mean of each class's sentences, float32 [n, k]."""
    spec = shipped_product("cable")
    rows = []
    for kind in spec.classes:
        sentences = pair.embed_text(kind.prompts).numpy()
        sentences = sentences / np.linalg.norm(sentences, axis=1, keepdims=True)
        rows.append(sentences.mean(axis=0) / np.linalg.norm(sentences.mean(axis=0)))
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(unit @ np.stack(rows).T, np.float32)


def _cost(pair: EncoderPair, candidate: Candidate) -> float:
    """Computation for one picture, in that of the seed's recipe."""
    parts = [tuple(map(parse_part, c.parts)) for c in (candidate, SEED)]
    return flops(pair, parts[0]) / flops(pair, parts[1])


def _encoders(weights: Path | None) -> str:
    if weights is None:
        return "full size, untrained (random weights)"
    about = json.loads((weights / "about.json").read_text(encoding="utf-8"))
    return str(about["description"])


if __name__ == "__main__":
    main()
