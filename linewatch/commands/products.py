"""`linewatch products`: register and list products."""

from __future__ import annotations

from pathlib import Path

import click

from linewatch.commands._output import FORMATS, write_rows
from linewatch.errors import ProductError

_COLUMNS = ("product", "name", "classes", "good_class", "image_size")


@click.group()
def command() -> None:
    """Register and list products."""


@command.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def register(files: tuple[Path, ...]) -> None:
    """Register the products in FILES, or else those in LINEWATCH_PRODUCTS_DIR.

    Without either, the products that ship with Linewatch. Registering again replaces what was
    known. A file that cannot be used is named, and keeps none of the others from being registered.
    """
    from db import migrate, products
    from db.session import engine_for, explained, transaction
    from linewatch.os_user import os_user
    from linewatch.products import load_product, product_files
    from linewatch.settings import get_settings

    settings = get_settings()
    specs, wrong = [], []
    for path in files or product_files(settings.products_dir):
        try:
            specs.append(load_product(path))
        except ProductError as error:
            wrong.append(str(error))
    if wrong and not specs:
        raise ProductError("; ".join(wrong))
    migrate.require(settings.sql_url)
    with explained(settings.sql_url):
        for spec in specs:
            with transaction(engine_for(settings.sql_url)) as connection:
                products.register(connection, spec, by=os_user())
            click.echo(f"{spec.product}: {len(spec.classes)} classes")
    if wrong:
        raise ProductError("; ".join(wrong))
    if not specs:
        click.echo(f"no product files in {settings.products_dir}", err=True)


@command.command("list")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(format_: str) -> None:
    """List the registered products."""
    from db import migrate, products
    from db.session import engine_for, explained
    from linewatch.settings import get_settings

    url = get_settings().sql_url
    migrate.require(url)
    with explained(url):
        known = products.catalogue(engine_for(url))
    rows = [
        {
            "product": spec.product,
            "name": spec.name,
            "classes": len(spec.classes),
            "good_class": spec.good_class,
            "image_size": f"{size.width}x{size.height}" if (size := spec.image_size) else None,
        }
        for spec in known.products.values()
    ]
    for sentence in known.broken.values():
        click.echo(f"{sentence}; register it again", err=True)
    empty = "no products; register one with `linewatch products register FILE`"
    write_rows(rows, format_, columns=_COLUMNS, title="Products", empty=empty)
