"""`linewatch labels`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click


@click.group()
def command() -> None:
    """Import people's labels."""


@command.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--by", default=getpass.getuser, help="Who labelled; default: you.")
def import_(path: Path, by: str) -> None:
    """Import labels from a CSV file or from class sub-folders.

    A CSV file has a `label` column and one of `id`, `part`, `uri` or `sha256`. In a folder, each
    sub-folder is a class, and a picture is found by its bytes. Labels are never overwritten: the
    latest one of a picture counts, and the earlier ones stay on record.
    """
    from db.labels import add_labels
    from db.session import default_engine
    from linewatch.labelling import read_csv, read_folder

    engine = default_engine()
    unknown: list[Path] = []
    if path.is_dir():
        labels, unknown = read_folder(engine, path, by=by)
    else:
        labels = read_csv(engine, path, by=by)
    click.echo(f"{add_labels(engine, labels)} labels stored")
    if unknown:
        click.echo(f"{len(unknown)} files were never inspected, such as {unknown[0]}", err=True)
