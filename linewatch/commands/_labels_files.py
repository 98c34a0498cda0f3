"""`linewatch labels import` and `export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from linewatch.commands._database import opened
from linewatch.errors import LabelError
from linewatch.labels.splits import GOLDEN, SPLITS
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from collections import Counter

    from linewatch.labels.export import Left
    from linewatch.labels.import_labels import Told


_FORMATS = ("csv", "coco", "label-studio", "folder")


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--by", default=os_user, help="Who labelled; default: you.")
@click.option("--product", help="Whose parts and pictures they are, if several products have them.")
def import_(path: Path, by: str, product: str | None) -> None:
    """Import labels from a table or from class sub-folders.

    A table is a CSV file as any spreadsheet program writes it. It has a `label` column and one of
    `id`, `part`, `uri` or `sha256`; `product`, `labelled_by`, `labelled_at` (ISO 8601), `source`
    and `note` are kept where it has them. In a folder, each sub-folder is a class, and a picture is
    found by its bytes. Labels are never overwritten: the latest one of a picture counts, and the
    earlier ones stay on record.

    A file that ends in .json is an export of Label Studio as "JSON": each annotation is a label.

    What is said of a `part` is a decision on the whole part, or on the `pass` that is named; see
    `linewatch labels decisions`. It is a label of its picture too where the part has only one and
    no pass is named: of several views nobody said which shows the defect.
    """
    from db import products
    from db.labels.labels import add_labels
    from db.session import transaction
    from linewatch.labels.import_labels import read

    engine = opened()
    if product is not None:
        products.require(engine, product)
    told = read(engine, path, by=by, product=product)
    with transaction(engine) as connection:
        stored = add_labels(connection, told.labels, told.decisions)
    _tell_stored(told, stored)


def _tell_stored(told: Told, stored: int) -> None:
    from linewatch.labels.text import ANSI

    if told.decisions:
        click.echo(f"{len(told.decisions)} decisions on parts, {stored} labels on pictures")
        if several := len(told.decisions) - stored:
            click.echo(
                f"{several} of the parts have several pictures or none, or a pass was named: no "
                "model learns from what was said of them; label pictures by id, uri or sha256 for "
                "that",
                err=True,
            )
    else:
        click.echo(f"{stored} labels stored")
    if told.encoding == ANSI:
        click.echo(f'the table was read as {ANSI}; "CSV UTF-8" leaves no doubt', err=True)
    if told.unknown:
        click.echo(
            f"{len(told.unknown)} files were never inspected, such as {told.unknown[0]}", err=True
        )


@click.command("export")
@click.argument("product")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="csv")
@click.option("--out", type=click.Path(path_type=Path), help="File or new folder; default: stdout.")
@click.option("--split", default="0.7,0.15,0.15", show_default=True, help="train,val,test.")
@click.option("--seed", default=42, show_default=True, help="Decides who is in which split.")
@click.option("--copy", is_flag=True, help="Copy pictures into the folder instead of linking.")
def export(product: str, format_: str, out: Path | None, split: str, seed: int, copy: bool) -> None:
    """Export the labels that hold: CSV, COCO classification JSON, Label Studio's tasks, or a tree.

    Pictures are split by class, with the same seed always alike; all pictures of one part are in
    one split. The golden set that the gate reads is a split of its own, `golden`, with the classes
    that it was given; pictures of other golden sets, and other pictures of golden parts, are in
    `test`, never in `train`. A folder tree is `<split>/<class>/<id>.<suffix>`, of links to the
    pictures or of copies. `--format label-studio` writes tasks that carry each picture's id, so
    that `linewatch labels import` finds it again.
    """
    from db import products
    from linewatch.labels.export import write_coco, write_csv, write_tree
    from linewatch.labels.label_studio import write_tasks
    from linewatch.labels.labelled_pictures import labelled_pictures
    from linewatch.labels.splits import parse_shares
    from linewatch.settings import get_settings

    shares, engine = parse_shares(split), opened()
    spec = products.require(engine, product)
    rows, parts, relabelled = labelled_pictures(
        engine, product, shares=shares, seed=seed, golden_set=get_settings().golden_set
    )
    if not rows:
        raise LabelError(f"{product} has no labels to export")
    if relabelled:
        click.echo(
            f"{len(relabelled)} golden pictures have another label than their set gives them, such "
            f"as {relabelled[0]}; they are exported as the set has them",
            err=True,
        )
    if format_ == "folder":
        if out is None:
            raise click.UsageError("--format folder needs --out FOLDER")
        _tell(*write_tree(out, rows, parts, get_settings(), copy=copy), out)
        return
    with _opened(out) as stream:
        if format_ == "csv":
            write_csv(stream, rows, parts)
        elif format_ == "label-studio":
            write_tasks(stream, rows, parts)
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


def _tell(written: Counter[str], left: list[Left], out: Path) -> None:
    if left and not written:
        raise LabelError(
            f"nothing was exported to {out}: all {len(left)} labelled pictures were left out, such "
            f"as {left[0].id}: {left[0].why}; look at LINEWATCH_IMAGE_ROOTS, or export a table: "
            "`--format csv`"
        )
    splits = [*SPLITS, *([GOLDEN] if written[GOLDEN] else [])]
    counts = ", ".join(f"{split} {written[split]}" for split in splits)
    click.echo(f"{sum(written.values())} pictures: {counts}")
    if left:
        click.echo(
            f"{len(left)} pictures were left out, such as {left[0].id}: {left[0].why}", err=True
        )
