"""`linewatch optimize`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from linewatch.errors import WeightsError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--images", default=300, show_default=True, type=click.IntRange(min=16))
def command(folder: Path | None, images: int) -> None:
    """Convert the encoders for OpenVINO and quantise them to int8.

    Int8 is calibrated on the pictures in FOLDER and its sub-folders, or else on the newest that
    were inspected here. The result lies under LINEWATCH_WEIGHTS_DIR/optimized; then set
    LINEWATCH_PRECISION=int8 and check each product with `linewatch backends check`.
    """
    import torch

    from linewatch.settings import get_settings
    from vision.decode import decode
    from vision.errors import Unjudgeable
    from vision.preprocess import preprocess
    from vision.recipes import recipe_named

    try:
        from vision.optimize import optimize
    except ImportError as error:
        raise WeightsError(f"{error}; `pip install linewatch[openvino]` first") from None

    settings = get_settings()
    size = recipe_named(settings.recipe).size
    pictures = []
    for data in _folder(folder, images) if folder else _inspected(images):
        try:
            pixels = decode(data, max_pixels=settings.max_image_pixels).pixels
            pictures.append(preprocess(pixels, size))
        except Unjudgeable:
            continue
    if not pictures:
        raise WeightsError("no picture to calibrate on; name a FOLDER that holds some")
    click.echo(f"calibrating on {len(pictures)} pictures; this takes some minutes")
    done = optimize(settings, torch.stack(pictures))
    for about in (done.float32, done.int8):
        click.echo(
            f"{about.precision}: stored; cosine to float32 on average "
            f"{about.mean_cosine:.5f}, at least {about.least_cosine:.5f}"
        )


def _folder(folder: Path, limit: int) -> Iterator[bytes]:
    """Files spread evenly over all sub-folders."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    step = max(1, len(files) // limit)
    for path in files[::step][:limit]:
        yield path.read_bytes()


def _inspected(limit: int) -> Iterator[bytes]:
    """What is left of the newest judged pictures."""
    from db.models.precision_checks import newest_uris
    from db.session import default_engine
    from linewatch.settings import get_settings
    from vision.errors import Unjudgeable
    from vision.pictures import Pictures

    pictures = Pictures.from_settings(get_settings())
    for uri in newest_uris(default_engine(), limit):
        try:
            yield pictures.read(uri).data
        except Unjudgeable:
            continue
