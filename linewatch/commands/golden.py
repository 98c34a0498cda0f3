"""`linewatch golden`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from linewatch.commands._output import FORMATS, write_rows

_SET = click.option("--set", "set_name", default="default", show_default=True, help="Its name.")
_BY = click.option("--by", default=getpass.getuser, help="Who decided; default: you.")


@click.group()
def command() -> None:
    """Keep the pictures that models are compared on, and freeze them."""


@command.command()
@click.argument("product")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_SET
@_BY
def add(product: str, path: Path, set_name: str, by: str) -> None:
    """Add pictures of PRODUCT to a golden set, from a CSV file or class sub-folders.

    They are found as `linewatch labels import` finds them, and must have been inspected. Only add
    pictures whose class is beyond doubt. No purge deletes them.
    """
    from db import golden
    from db.session import default_engine
    from linewatch.labelling import read_csv, read_folder

    engine = default_engine()
    unknown: list[Path] = []
    if path.is_dir():
        labels, unknown = read_folder(engine, path, by=by)
    else:
        labels = read_csv(engine, path, by=by)
    pairs = {label.inspection_id: label.label for label in labels}
    new = golden.add(engine, product, set_name, pairs, by=by)
    click.echo(f"{new} pictures are new in {product}/{set_name}")
    if unknown:
        click.echo(f"{len(unknown)} files were never inspected, such as {unknown[0]}", err=True)


@command.command()
@click.argument("product")
@_SET
@_BY
def freeze(product: str, set_name: str, by: str) -> None:
    """Let no picture join or leave a set, so that models of different days can be compared."""
    from db import golden
    from db.session import default_engine

    found = golden.freeze(default_engine(), product, set_name, by=by)
    click.echo(
        f"{product}/{set_name}: {found.pictures} pictures, frozen {found.frozen_at:%Y-%m-%d} by "
        f"{found.frozen_by}, digest {found.digest}"
    )


@command.command("list")
@click.option("--product")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(product: str | None, format_: str) -> None:
    """List the golden sets."""
    from db.golden_sets import all_sets
    from db.session import default_engine

    rows = [
        {
            "product": one.product,
            "set": one.set_name,
            "pictures": one.pictures,
            "frozen": f"{one.frozen.frozen_at:%Y-%m-%d %H:%M} UTC" if one.frozen else None,
            "digest": one.frozen.digest if one.frozen else None,
        }
        for one in all_sets(default_engine(), product)
    ]
    write_rows(
        rows, format_, title="Golden sets", empty="no golden set; see `linewatch golden add`"
    )


@command.command()
@click.argument("product")
@_SET
def digest(product: str, set_name: str) -> None:
    """Print the digest of a set, and fail if it is not what was frozen."""
    from db import golden, golden_sets
    from db.session import default_engine
    from linewatch.errors import LabelError

    engine = default_engine()
    held = golden.members(engine, product, set_name)
    if not held:
        raise LabelError(f"{product} has no golden set {set_name!r}; see `linewatch golden list`")
    now, frozen = golden.digest(held), golden_sets.frozen(engine, product, set_name)
    click.echo(now)
    if frozen is not None and frozen.digest != now:
        raise LabelError(
            f"golden set {product}/{set_name} was frozen as {frozen.digest} with "
            f"{frozen.pictures} pictures and holds others now; restore it from a backup"
        )
