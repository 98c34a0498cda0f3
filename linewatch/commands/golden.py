"""`linewatch golden`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from linewatch.commands._database import opened
from linewatch.commands._output import FORMATS, write_rows
from linewatch.csv_cell import Cell
from linewatch.errors import LabelError
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SET = click.option("--set", "set_name", help="Its name; default: LINEWATCH_GOLDEN_SET.")
_BY = click.option("--by", default=os_user, help="Who decided; default: you.")
_FORMAT = click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
_SETS = ("product", "set", "pictures", "gate", "frozen", "digest")
_MEMBERS = ("picture", "part", "label", "by", "at", "uri")


@click.group()
def command() -> None:
    """Keep the pictures that models are compared on, and freeze them."""


@command.command()
@click.argument("product")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_SET
@_BY
def add(product: str, path: Path, set_name: str | None, by: str) -> None:
    """Add pictures of PRODUCT to a golden set, from a table of labels or class sub-folders.

    They are found as `linewatch labels import` finds them, and must have been inspected; a part
    with several pictures names none of them. Only add pictures whose class is beyond doubt. No
    purge deletes them, and no model learns from them.
    """
    from db.labels import golden_members
    from db.session import transaction
    from linewatch.labels.pictures import pictures

    engine, set_name = _opened(product, set_name)
    named, unknown = pictures(engine, path, product)
    labels: dict[UUID, str] = {}
    for one in named:
        if labels.setdefault(one.id, one.label) != one.label:
            raise LabelError(
                f"{one.where}: its picture is {labels[one.id]!r} above and {one.label!r} here; "
                "its class is not beyond doubt"
            )
    places = {one.id: one.where for one in named}
    with transaction(engine) as connection:
        new = golden_members.add(connection, product, set_name, labels, by=by, places=places)
    click.echo(f"{new} pictures are new in {product}/{set_name}")
    _tell_if_another(engine, product, set_name)
    if unknown:
        click.echo(f"{len(unknown)} files were never inspected, such as {unknown[0]}", err=True)


@command.command()
@click.argument("product")
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--picture", "ids", type=click.UUID, multiple=True, help="This one; can be repeated.")
@click.option("--all", "everything", is_flag=True, help="The whole set, frozen or not.")
@click.option("--why", default="", help="Kept in the audit log; a frozen set needs it.")
@_SET
@_BY
def remove(
    product: str,
    path: Path | None,
    ids: tuple[UUID, ...],
    everything: bool,
    why: str,
    set_name: str | None,
    by: str,
) -> None:
    """Take pictures out of a golden set: those that PATH names, or --picture, or --all.

    PATH is what `golden add` reads; its labels are not needed. Nothing leaves a frozen set: it can
    only be dissolved whole, with --all and --why. Models may learn from the pictures again.
    """
    from db.labels import golden_members
    from db.session import transaction
    from linewatch.labels.pictures import pictures

    if (path is not None) + bool(ids) + everything != 1:
        raise click.UsageError("say what to remove: PATH, --picture ID, or --all")
    engine, set_name = _opened(product, set_name)
    if everything:
        if not golden_members.members(engine, product, set_name):
            raise LabelError(_none(engine, product, set_name))
        with transaction(engine) as connection:
            count = golden_members.dissolve(connection, product, set_name, by=by, why=why)
    else:
        if path is not None:
            ids = tuple(one.id for one in pictures(engine, path, product, labelled=False)[0])
        with transaction(engine) as connection:
            count = golden_members.remove(connection, product, set_name, ids, by=by, why=why)
    click.echo(f"{count} pictures were taken out of {product}/{set_name}")


@command.command()
@click.argument("product")
@_SET
@_BY
def freeze(product: str, set_name: str | None, by: str) -> None:
    """Let no picture join or leave a set, so that models of different days can be compared."""
    from db.labels import golden_members
    from db.session import transaction

    engine, set_name = _opened(product, set_name)
    with transaction(engine) as connection:
        found = golden_members.freeze(connection, product, set_name, by=by)
    click.echo(
        f"{product}/{set_name}: {found.pictures} pictures, frozen {found.frozen_at:%Y-%m-%d} by "
        f"{found.frozen_by}, digest {found.digest}"
    )
    _tell_if_another(engine, product, set_name)


@command.command("list")
@click.option("--product", help="Only this product.")
@_FORMAT
def list_(product: str | None, format_: str) -> None:
    """List the golden sets, and which of them the gate compares models on."""
    from db import products
    from db.labels.golden_sets import all_sets, usual
    from linewatch.settings import get_settings

    engine = opened()
    if product is not None:
        products.require(engine, product)
    named = get_settings().golden_set
    rows: list[dict[str, Cell]] = [
        {
            "product": one.product,
            "set": one.set_name,
            "pictures": one.pictures,
            "gate": usual(engine, one.product, named) == one.set_name,
            "frozen": f"{one.frozen.frozen_at:%Y-%m-%d %H:%M} UTC" if one.frozen else None,
            "digest": one.frozen.digest if one.frozen else None,
        }
        for one in all_sets(engine, product)
    ]
    write_rows(
        rows,
        format_,
        columns=_SETS,
        title="Golden sets",
        empty="no golden set; see `linewatch golden add`",
    )


@command.command()
@click.argument("product")
@_SET
@_FORMAT
def show(product: str, set_name: str | None, format_: str) -> None:
    """List the pictures of a set, and the class that each shows."""
    from db.labels import golden_members

    engine, set_name = _opened(product, set_name)
    rows: list[dict[str, Cell]] = [
        {
            "picture": str(one.inspection_id),
            "part": one.part,
            "label": one.label,
            "by": one.added_by,
            "at": one.added_at.isoformat(timespec="seconds"),
            "uri": one.image_uri,
        }
        for one in golden_members.pictures(engine, product, set_name)
    ]
    write_rows(
        rows,
        format_,
        columns=_MEMBERS,
        title=f"{product}/{set_name}",
        empty=_none(engine, product, set_name),
    )


@command.command()
@click.argument("product")
@_SET
def digest(product: str, set_name: str | None) -> None:
    """Print the digest of a set, and fail if it is not what was frozen."""
    from db.labels import golden_members, golden_sets

    engine, set_name = _opened(product, set_name)
    held = golden_members.members(engine, product, set_name)
    if not held:
        raise LabelError(_none(engine, product, set_name))
    now, frozen = golden_members.digest(held), golden_sets.frozen(engine, product, set_name)
    click.echo(now)
    if frozen is not None and frozen.digest != now:
        raise LabelError(
            f"golden set {product}/{set_name} was frozen as {frozen.digest} with "
            f"{frozen.pictures} pictures and holds others now; restore it from a backup"
        )


def _opened(product: str, set_name: str | None) -> tuple[Engine, str]:
    """The database, and the set that is meant: the one named, or the gate's."""
    from db import products
    from db.labels import golden_sets
    from linewatch.settings import get_settings

    engine = opened()
    if not golden_sets.all_sets(engine, product):  # 0.1.0 took sets of products it did not know
        products.require(engine, product)
    return engine, set_name or golden_sets.usual(engine, product, get_settings().golden_set)


def _tell_if_another(engine: Engine, product: str, set_name: str) -> None:
    from db.labels.golden_sets import usual
    from linewatch.settings import get_settings

    read = usual(engine, product, get_settings().golden_set)
    if set_name != read:
        click.echo(
            f"the gate compares models on {product}/{read}, not on this set; "
            "LINEWATCH_GOLDEN_SET names another",
            err=True,
        )


def _none(engine: Engine, product: str, set_name: str) -> str:
    from db.labels.golden_sets import all_sets
    from linewatch.nearest import did_you_mean

    hint = did_you_mean(set_name, [one.set_name for one in all_sets(engine, product)])
    see = hint or "; see `linewatch golden list`"
    return f"{product} has no golden set {set_name!r}{see}"
