"""`linewatch challenge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.commands._database import opened
from linewatch.commands._numbers import Number
from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.csv_cell import Cell
from linewatch.errors import ChallengeError
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from sqlalchemy import Engine

_BY = click.option("--by", default=os_user, help="Who does it; default: you.")
_COLUMNS = (
    *("line", "started_at", "by", "state", "product", "part", "known", "pictures"),
    *("disposition", "classes", "right"),
)


@click.group()
def command() -> None:
    """Send known bad parts through a line's camera, to see that it finds them."""


@command.command()
@click.argument("line")
@click.option("--part", "serials", multiple=True, help="A bad part's serial; can be repeated.")
@click.option(
    "--parts",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file with the columns part and label: what each part is.",
)
@click.option("--product", help="Whose parts they are, if several are registered.")
@click.option(
    "--minutes",
    type=Number(0, 24 * 60, min_open=True),
    default=30,
    show_default=True,
    help="After these it ends by itself.",
)
@_BY
def start(
    line: str,
    serials: tuple[str, ...],
    path: Path | None,
    product: str | None,
    minutes: float,
    by: str,
) -> None:
    """Open a challenge of LINE.

    Until it ends, pictures of these parts that are submitted with `--purpose challenge` are kept
    out of rates, drift, learning and audit; the gate is told of them as of any part.
    """
    from db.challenges import challenges
    from db.session import transaction

    engine = opened()
    owner = _product(engine, product)
    parts = [(owner, serial, "") for serial in serials]
    parts += [] if path is None else _read(path, owner)
    with transaction(engine) as connection:
        known = challenges.start(connection, line, parts, minutes=minutes, by=by)
    say(f"{line}: challenge of {len(known)} parts for {minutes:g} minutes, or until it is ended")


@command.command()
@click.argument("line")
@_BY
@click.pass_context
def end(context: click.Context, line: str, by: str) -> None:
    """End the challenge of LINE: the line is verified, or an alert says what was missed.

    The exit code is 1 where something was.
    """
    from db.challenges import challenges
    from db.session import transaction

    with transaction(opened()) as connection:
        ended = challenges.end(connection, line, by=by)
    if ended.verified:
        say(f"{line}: verified, {len(ended.found)} of {len(ended.found)} parts were told right")
        return
    say(ended.message)
    context.exit(1)


@command.command()
@click.argument("line", required=False)
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def show(line: str | None, format_: str) -> None:
    """Show how each part did in the latest challenge of LINE, or of every line."""
    from db.challenges.shown import latest

    rows: list[dict[str, Cell]] = [
        {
            "line": one.line,
            "started_at": one.started_at.isoformat(timespec="seconds"),
            "by": one.started_by,
            "state": one.state,
            "product": part.product,
            "part": part.serial,
            "known": part.known,
            "pictures": part.pictures,
            "disposition": part.disposition or None,
            "classes": part.classes or None,
            "right": part.right,
        }
        for one in latest(opened(), line)
        for part in one.parts
    ]
    write_rows(rows, format_, columns=_COLUMNS, title="Challenges", empty="no challenge was held")


def _product(engine: Engine, product: str | None) -> str:
    from db import products

    if product is not None:
        return products.require(engine, product).product
    known = list(products.all_products(engine))
    if len(known) != 1:
        raise ChallengeError(
            f"say of which product the parts are: --product {' or '.join(known) or 'NAME'}"
        )
    return known[0]


def _read(path: Path, product: str) -> list[tuple[str, str, str]]:
    from linewatch.labels.pictures import key_of, plain, read_table

    table = read_table(path)
    if table.key != "part":
        raise ChallengeError(f"{path}: its first line must name the columns part and label")
    return [
        (plain(row.cells.get("product")) or product, key_of(table, row), row.cells["label"])
        for row in table.rows
    ]
