"""`linewatch evaluate dataset`."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linewatch.commands._new_file import NewFile
from linewatch.errors import EvaluationError

if TYPE_CHECKING:
    from linewatch.evaluation.pictures import LabelledFile, Unread
    from linewatch.product_options import Fit
    from model_store.validation.repeated import Repeated, Spread


@click.command("dataset")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Draws of pictures and folds.",
)
@click.option(
    "--per-class", type=click.IntRange(2), help="Pictures of a class in a draw; default: all."
)
@click.option("--recipe", help="How pictures become features; default: LINEWATCH_RECIPE.")
@click.option(
    "--fit",
    type=click.Choice(["crop", "squash", "pad", "tiles"]),
    default="crop",
    show_default=True,
    help="How pictures are brought to the encoders' square.",
)
@click.option(
    "--bits",
    type=click.IntRange(8, 16),
    help="Of 16-bit samples, how many low bits carry the value; default: as the files say.",
)
@click.option(
    "--group-by",
    metavar="REGEX",
    help="Names the part in a picture's path below FOLDER: its first group, or the whole match.",
)
@click.option(
    "--json",
    "json_file",
    type=NewFile(),
    help="Write everything found to this file.",
)
def dataset(
    folder: Path,
    seeds: int,
    per_class: int | None,
    recipe: str | None,
    fit: Fit,
    bits: int | None,
    group_by: str | None,
    json_file: Path | None,
) -> None:
    """Cross-validate on a folder of class sub-folders, many times over, with intervals.

    Each of --seeds draws has other folds and, with --per-class, other pictures. Give --group-by
    where a part has several pictures: all of them are then in one fold. Features are kept under the
    data folder, so a second run is quick.
    """
    from linewatch.commands._output import write_table
    from linewatch.commands.evaluate import write_json
    from linewatch.evaluation.path_parts import parts_by
    from linewatch.evaluation.pictures import FeatureCache, class_folders, features_of
    from linewatch.settings import get_settings
    from model_store.validation.repeated import repeat
    from vision.extractor import FeatureExtractor
    from vision.framing import Framing

    settings = get_settings()
    if recipe is not None:
        settings = settings.model_copy(update={"recipe": recipe})
    files = class_folders(folder)
    parts = None if group_by is None else parts_by(group_by, folder, files)
    extractor = FeatureExtractor.from_settings(settings).space(Framing(fit))
    cache = FeatureCache(settings.data_dir / "feature-cache", extractor.fingerprint, bits)
    with click.progressbar(length=len(files), label="Features", file=sys.stderr) as bar:
        features, kept, unread = features_of(
            extractor, [file.path for file in files], cache, progress=bar.update, bits=bits
        )
    labels = [files[index].label for index in kept]
    groups = None if parts is None else [parts[index] for index in kept]
    _check(folder, labels, unread)
    with click.progressbar(length=seeds, label="Cross-validation", file=sys.stderr) as bar:
        found = repeat(
            features,
            labels,
            seeds=seeds,
            per_class=per_class,
            folds=settings.folds,
            groups=groups,
            progress=bar.update,
        )
    title = f"{folder.name}: {settings.folds}-fold cross-validation, {seeds} draws"
    write_table(_table(found), title)
    shown = "" if groups is None else f" of {len(set(groups))} parts"
    click.echo(
        f"{len(labels)} pictures{shown} · recipe {settings.recipe} · fit {fit} · "
        f"encoders: {extractor.describe()}"
    )
    _notes(found, unread)
    if json_file is not None:
        about = {
            "folder": str(folder),
            "recipe": settings.recipe,
            "fit": fit,
            "encoders": extractor.describe(),
            "fingerprint": extractor.fingerprint,
            "seeds": seeds,
            "per_class": per_class,
            "bits": bits,
            "group_by": group_by,
            "parts": None if groups is None else len(set(groups)),
            "folds": settings.folds,
        }
        write_json(json_file, _json(found, about, [files[index] for index in kept], unread))


def _check(folder: Path, labels: list[str], unread: list[Unread]) -> None:
    if len(set(labels)) < 2:
        why = f"; {unread[0].path}: {unread[0].why}" if unread else ""
        raise EvaluationError(f"{folder} has fewer than two classes with readable pictures{why}")


def _table(found: Repeated) -> list[dict[str, Any]]:
    rows = [
        {"class": name, **_cells(found.classes.get(name, {}).get("f1")), "support": count}
        for name, count in found.support.items()
    ]
    total = sum(found.support.values())
    for name, spread in found.figures.items():
        if name == "macro_f1_with_unscored" and len(found.classes) == len(found.support):
            continue
        rows.append({"class": name.replace("_", " "), **_cells(spread), "support": total})
    return rows


def _cells(spread: Spread | None) -> dict[str, float | None]:
    values = [None] * 5 if spread is None else list(asdict(spread).values())
    headings = ("F1", "from", "to", "single_draws_from", "single_draws_to")
    return dict(zip(headings, values, strict=True))


def _notes(found: Repeated, unread: list[Unread]) -> None:
    unscored = found.validations[0].metrics.unscored
    if unscored:
        click.echo(
            f"note: {', '.join(unscored)}: fewer parts than folds; trained with, never scored"
        )
    for one in unread[:5]:
        click.echo(f"note: left out {one.path}: {one.why}", err=True)
    if len(unread) > 5:
        click.echo(f"note: {len(unread) - 5} more files were left out", err=True)


def _json(
    found: Repeated, about: dict[str, Any], files: list[LabelledFile], unread: list[Unread]
) -> dict[str, Any]:
    return {
        "name": "dataset",
        **about,
        "pictures": dict(Counter(file.label for file in files)),
        "figures": {name: asdict(spread) for name, spread in found.figures.items()},
        "classes": [
            {
                "class": name,
                "support": count,
                "scored": name in found.classes,
                **{key: asdict(s) for key, s in found.classes.get(name, {}).items()},
            }
            for name, count in found.support.items()
        ],
        "draws": [
            {
                "seed": seed,
                "accuracy": one.accuracy,
                "macro_f1": one.macro_f1,
                "weighted_f1": one.weighted_f1,
                "confusion_matrix": one.confusion.tolist(),
            }
            for seed, one in enumerate(found.validations)
        ],
        "labels": list(found.support),
        "left_out": [{"file": str(one.path), "why": one.why} for one in unread],
    }
