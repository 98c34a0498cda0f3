"""`linewatch audit-sample`."""

from __future__ import annotations

from pathlib import Path

import click

from linewatch.commands._database import opened
from linewatch.commands._output import FORMATS, write_rows
from linewatch.csv_cell import Cell
from linewatch.os_user import os_user

_COLUMNS = ("id", "product", "part", "pass", "line", "made_at", "pictures", "label")


@click.group()
def command() -> None:
    """Look at the random share of parts that people see besides the model.

    The share is `audit_share` in the product's file. `linewatch report audit` says what came of it.
    """


@command.command("list")
@click.option("--product", help="Only this product.")
@click.option("--limit", type=click.IntRange(1), help="How many at most.")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(product: str | None, limit: int | None, format_: str) -> None:
    """List the parts that wait for an answer, shuffled, and where their pictures lie.

    What the model said of them is not shown, and nobody should look it up before answering. Written
    as CSV, the list is what `audit-sample import` reads: fill in the column `label`.
    """
    from db import products
    from db.audit_sample.items import unanswered

    engine = opened()
    if product is not None:
        products.require(engine, product)
    rows: list[dict[str, Cell]] = [
        {
            "id": str(one.id),
            "product": one.name.product,
            "part": one.name.serial or None,
            "pass": one.name.pass_number,
            "line": one.line,
            "made_at": one.made_at.isoformat(timespec="seconds"),
            "pictures": "\n".join(one.pictures) or None,
            "label": None,
        }
        for one in unanswered(engine, product, limit)
    ]
    write_rows(
        rows,
        format_,
        columns=_COLUMNS,
        title="Audit sample",
        empty="no drawn part waits for an answer",
    )


@command.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=os_user, help="Who answered; default: you.")
@click.option("--product", help="Whose parts they are, if several products have them.")
def import_(path: Path, by: str, product: str | None) -> None:
    """Import answers: a CSV file with a column `label` and one of `id` and `part`.

    `labelled_by`, `labelled_at` (ISO 8601) and `note` are kept where it has them. Rows without a
    label are left for later. Answers are never overwritten: the latest of a part counts. Each
    becomes a decision on the part, too, once it is stored.
    """
    from db import products
    from db.audit_sample import answers
    from db.session import transaction
    from linewatch.labels.import_answers import read_answers

    engine = opened()
    if product is not None:
        products.require(engine, product)
    told = read_answers(engine, path, by=by, product=product)
    with transaction(engine) as connection:
        left = answers.add(connection, told.said)
    click.echo(f"{len(told.said)} answers stored")
    if told.empty:
        click.echo(f"{told.empty} parts have no label in {path} yet", err=True)
    if left:
        click.echo(
            f"{len(left)} of the parts keep their disposition, such as {left[0].id}: the picture "
            "is purged, or a newer part bears the serial number",
            err=True,
        )
