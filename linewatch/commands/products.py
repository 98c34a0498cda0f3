"""`linewatch products`: register and list products."""

from __future__ import annotations

from pathlib import Path

import click

from linewatch.commands._output import FORMATS, write_rows


@click.group()
def command() -> None:
    """Register and list products."""


@command.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def register(files: tuple[Path, ...]) -> None:
    """Register the products in FILES, or else those in LINEWATCH_PRODUCTS_DIR.

    Without either, the products that ship with Linewatch. Registering again replaces what was
    known. All files are checked before the first is registered.
    """
    import getpass

    from db import migrate, products
    from db.session import engine_for, explained
    from linewatch.products import load_product, product_files
    from linewatch.settings import get_settings

    settings = get_settings()
    specs = [load_product(path) for path in files or product_files(settings.products_dir)]
    migrate.require(settings.sql_url)
    with explained(settings.sql_url):
        for spec in specs:
            products.register(engine_for(settings.sql_url), spec, by=getpass.getuser())
            click.echo(f"{spec.product}: {len(spec.classes)} classes")
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
        specs = products.all_products(engine_for(url)).values()
    rows = [
        {
            "product": spec.product,
            "name": spec.name,
            "classes": len(spec.classes),
            "good_class": spec.good_class,
            "image_size": f"{size.width}x{size.height}" if (size := spec.image_size) else None,
        }
        for spec in specs
    ]
    empty = "no products; register one with `linewatch products register FILE`"
    write_rows(rows, format_, title="Products", empty=empty)
