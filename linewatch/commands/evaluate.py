"""`linewatch evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linewatch.commands._evaluate_dataset import dataset
from linewatch.commands._evaluate_unlike_good import unlike_good
from linewatch.errors import EvaluationError

if TYPE_CHECKING:
    from linewatch.evaluation.embeddings import Embeddings

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Judge recipes by cross-validation: the seed's protocol, or any folder of classes."""


command.add_command(dataset)
command.add_command(unlike_good)


@command.command("seed")
@click.option("--images", type=_FOLDER, help="MVTec AD's cables, in folders or flat.")
@click.option("--embeddings", type=_FILE, help=".npz with clip, dino, label and file.")
@click.option("--json", "json_file", type=_FILE, help="Write everything found to this file.")
@click.option("--save-embeddings", type=_FILE, help="Keep what --images gave as an .npz.")
def seed(
    images: Path | None,
    embeddings: Path | None,
    json_file: Path | None,
    save_embeddings: Path | None,
) -> None:
    """Run the seed's protocol, exactly, and print its table beside the published one.

    With --images the seed's 75 pictures are found beneath a folder and embedded with the encoders
    that are set. With --embeddings stored embeddings are judged, in the order of their rows.
    """
    from linewatch.commands._output import write_table
    from linewatch.evaluation.embeddings import read_embeddings, write_embeddings
    from linewatch.evaluation.seed_report import confusion_rows, seed_json, side_by_side
    from model_store.seed.protocol import is_seed_set, seed_protocol

    if (images is None) == (embeddings is None):
        raise click.UsageError("name either --images FOLDER or --embeddings FILE")
    if embeddings is not None:
        data, encoders = read_embeddings(embeddings), "whatever made the file"
    else:
        assert images is not None
        data, encoders = _embedded(images)
    if save_embeddings is not None:
        write_embeddings(save_embeddings, data)
    result = seed_protocol(data.clip, data.dino, data.labels)
    widths = {"clip": data.clip.shape[1], "dino": data.dino.shape[1]}
    if json_file is not None:
        found = seed_json(
            result, data.files, widths=widths, source=str(images or embeddings), encoders=encoders
        )
        write_json(json_file, found)
    write_table(side_by_side(result), "Seed protocol, stratified 3-fold")
    write_table(confusion_rows(result), "Actual (row), said (column)")
    click.echo(
        f"{len(data.files)} pictures · CLIP {widths['clip']} + DINOv2 {widths['dino']} numbers "
        f"each · encoders: {encoders}"
    )
    for note in result.notes:
        click.echo(f"note: {note}")
    if not is_seed_set(data.files, result.labels):
        click.echo("note: these are not the seed's 75 pictures; its figures are of others")


def _embedded(folder: Path) -> tuple[Embeddings, str]:
    """Both embeddings of the seed's pictures, and the encoders in words."""
    import numpy as np

    from linewatch.evaluation.embeddings import Embeddings
    from linewatch.evaluation.pictures import features_of
    from linewatch.evaluation.seed_pictures import find_seed_pictures
    from linewatch.settings import get_settings
    from vision.extractor import FeatureExtractor
    from vision.recipe import SEED

    found = find_seed_pictures(folder)
    extractor = FeatureExtractor.from_settings(get_settings(), recipe=SEED)
    fused, _, unread = features_of(extractor, list(found.values()))
    if unread:
        raise EvaluationError(f"{unread[0].path}: {unread[0].why}")
    # The recipe's two halves are the embeddings but for their lengths, which the protocol drops.
    clip_width = extractor.embed_text(["a cable"]).shape[1]
    labels = np.asarray([name.split("/")[0] for name in found])
    parts = fused[:, :clip_width], fused[:, clip_width:]
    return Embeddings(*parts, labels, tuple(found)), extractor.describe()


def write_json(path: Path, found: dict[str, Any]) -> None:
    """Write what was found.

    Raises:
        EvaluationError: the file cannot be written.
    """
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}") from None
