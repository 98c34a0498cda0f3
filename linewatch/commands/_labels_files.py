"""`linewatch labels import` and `export`."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from linewatch.errors import LabelError

if TYPE_CHECKING:
    from collections import Counter

    from linewatch.label_export import Left


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--by", default=getpass.getuser, help="Who labelled; default: you.")
def import_(path: Path, by: str) -> None:
    """Import labels from a CSV file or from class sub-folders.

    A CSV file has a `label` column and one of `id`, `part`, `uri` or `sha256`; `labelled_by`,
    `labelled_at` (ISO 8601), `source` and `note` are kept where it has them. In a folder, each
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


@click.command("export")
@click.argument("product")
@click.option("--format", "format_", type=click.Choice(["csv", "coco", "folder"]), default="csv")
@click.option("--out", type=click.Path(path_type=Path), help="File or new folder; default: stdout.")
@click.option("--split", default="0.7,0.15,0.15", show_default=True, help="train,val,test.")
@click.option("--seed", default=42, show_default=True, help="Decides who is in which split.")
@click.option("--copy", is_flag=True, help="Copy pictures into the folder instead of linking.")
def export(product: str, format_: str, out: Path | None, split: str, seed: int, copy: bool) -> None:
    """Export the labels that hold: CSV, COCO classification JSON, or a folder tree.

    Pictures are split by class, with the same seed always alike; all pictures of one part are in
    one split. A folder tree is `<split>/<class>/<id>.<suffix>`, of links to the pictures or of
    copies.
    """
    from db import products
    from db.label_history import current
    from db.session import default_engine
    from linewatch.label_export import write_coco, write_csv, write_tree
    from linewatch.label_splits import parse_shares, splits
    from linewatch.settings import get_settings

    shares, engine = parse_shares(split), default_engine()
    spec = products.get(engine, product)
    if spec is None:
        raise LabelError(f"no product is called {product!r}")
    rows = current(engine, product)
    if not rows:
        raise LabelError(f"{product} has no labels to export")
    groups = [row.part or str(row.inspection_id) for row in rows]
    parts = splits([row.label for row in rows], groups, shares, seed)
    if format_ == "folder":
        if out is None:
            raise click.UsageError("--format folder needs --out FOLDER")
        _tell(*write_tree(out, rows, parts, get_settings(), copy=copy))
        return
    with _opened(out) as stream:
        if format_ == "csv":
            write_csv(stream, rows, parts)
        else:
            write_coco(stream, rows, parts, spec.class_codes, product)
    if out is not None:
        click.echo(f"{len(rows)} labels in {out}")


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise LabelError(f"{out} cannot be written: {error.strerror}") from None


def _tell(written: Counter[str], left: list[Left]) -> None:
    counts = ", ".join(f"{split} {written[split]}" for split in ("train", "val", "test"))
    click.echo(f"{sum(written.values())} pictures: {counts}")
    if left:
        click.echo(
            f"{len(left)} pictures were left out, such as {left[0].id}: {left[0].why}", err=True
        )
