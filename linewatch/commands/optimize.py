"""`linewatch optimize`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.errors import WeightsError

if TYPE_CHECKING:
    from vision.framing import Framing

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=_FOLDER)
@click.option(
    "--images",
    default=300,
    show_default=True,
    type=click.IntRange(min=16),
    help="How many of them at most.",
)
@click.option("--product", metavar="CODE", help="Whose fit and roi the pictures in FOLDER have.")
def command(folder: Path | None, images: int, product: str | None) -> None:
    """Convert the encoders for OpenVINO and quantise them to int8.

    Int8 is calibrated on the pictures in FOLDER and its sub-folders, or else on the newest that
    were inspected here, each product's brought to the encoders' square as its model sees them. The
    result lies under LINEWATCH_WEIGHTS_DIR/optimized; then set LINEWATCH_PRECISION=int8 and check
    each product with `linewatch backends check`.
    """
    import torch

    from db.session import default_engine
    from linewatch.settings import get_settings
    from training.spaces.calibration_pictures import inspected, of_folder
    from vision.recipes import recipe_named

    try:
        from vision.optimize import optimize
    except ImportError as error:
        raise WeightsError(f"{error}; `pip install linewatch[openvino]` first") from None

    if product is not None and folder is None:
        raise click.UsageError("--product says how the pictures in a FOLDER are seen; name one")
    settings = get_settings()
    size = recipe_named(settings.recipe).size
    if folder is None:
        squares = inspected(default_engine(), images, size, settings)
    else:
        squares = of_folder(folder, images, size, settings, _framing(product))
    if not squares:
        raise WeightsError("no picture to calibrate on; name a FOLDER that holds some")
    click.echo(f"calibrating on {len(squares)} pictures; this takes some minutes")
    done = optimize(settings, torch.stack(squares))
    for about in (done.float32, done.int8):
        click.echo(
            f"{about.precision}: stored; cosine to float32 on average "
            f"{about.mean_cosine:.5f}, at least {about.least_cosine:.5f}; of patch tokens "
            f"{about.mean_token_cosine:.5f} and {about.least_token_cosine:.5f}"
        )


def _framing(product: str | None) -> Framing | None:
    """That of a product's champion, or else of its next model."""
    if product is None:
        return None
    from db import products
    from db.session import default_engine
    from training.spaces.framing import champion_framing
    from vision.framing import next_framing

    engine = default_engine()
    spec = products.require(engine, product)
    return champion_framing(engine, product) or next_framing(spec, None)
