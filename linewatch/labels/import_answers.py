"""Reading people's answers about drawn parts from the table that `audit-sample list` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from db.audit_sample import items
from db.audit_sample.answers import NewAnswer
from db.audit_sample.items import Item
from db.session import reading
from linewatch.errors import LabelError
from linewatch.labels.file import LabelTable, Row
from linewatch.labels.import_labels import said_at
from linewatch.labels.pictures import key_of, plain, read_table
from linewatch.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Answers:
    """What a table says; `empty` is how many of its parts it says nothing of yet."""

    said: tuple[NewAnswer, ...]
    empty: int


def read_answers(engine: Engine, path: Path, *, by: str, product: str | None = None) -> Answers:
    """Answers from a table with a `label` column and one of `id` and `part`.

    Args:
        by: who answered, where the table does not say.
        product: whose parts they are, where serial numbers are of several.

    Raises:
        LabelError: with the line, where the table cannot be read or a part was not drawn.
    """
    table = read_table(path, labelled=False)
    if table.key not in ("id", "part") or "label" not in table.columns:
        raise LabelError(
            f"{path}: its first line must name the columns; needs a 'label' column and one of id, "
            "part, as `linewatch audit-sample list --format csv` writes them"
        )
    rows = [row for row in table.rows if plain(row.cells["label"])]
    drawn = _drawn(engine, table, rows)
    said = []
    for row in rows:
        where, key = f"{path}, line {row.line}", key_of(table, row)
        mine = plain(row.cells.get("product")) or product
        item = _one(engine, drawn.get(key, []), table.key, key, where, mine)
        said.append(
            NewAnswer(
                item,
                plain(row.cells["label"]),
                plain(row.cells.get("labelled_by")) or by,
                said_at(row.cells.get("labelled_at"), where),
                plain(row.cells.get("note")),
                where,
            )
        )
    _refuse_twice(said)
    return Answers(tuple(said), len(table.rows) - len(rows))


def _drawn(engine: Engine, table: LabelTable, rows: Sequence[Row]) -> dict[str, list[Item]]:
    keys = list(dict.fromkeys(key_of(table, row) for row in rows))
    with reading(engine) as connection:
        if table.key == "part":
            return items.by_serial(connection, keys)
        ids = {}
        for key in keys:
            try:
                ids[key] = UUID(key)
            except ValueError:
                continue
        found = items.by_id(connection, list(ids.values()))
        return {key: [found[id_]] for key, id_ in ids.items() if id_ in found}


def _one(
    engine: Engine, drawn: Sequence[Item], column: str, key: str, where: str, product: str | None
) -> Item:
    of = [one for one in drawn if product in (None, one.name.product)]
    if not of:
        waiting = items.unanswered(engine, product)
        known = [str(one.id) if column == "id" else one.name.serial for one in waiting]
        hint = did_you_mean(key, known) or "; see `linewatch audit-sample list`"
        raise LabelError(f"{where}: no drawn part has the {column} {key!r}{hint}")
    if len(of) > 1:
        products = sorted({one.name.product for one in of})
        kind = f"of {' and '.join(products)}" if len(products) > 1 else f"{len(of)} passes of it"
        raise LabelError(
            f"{where}: part {key!r} was drawn more than once ({kind}); name the one that is meant "
            "by its id, in a column 'id'"
        )
    return of[0]


def _refuse_twice(said: Sequence[NewAnswer]) -> None:
    """One person says one thing of a part at one time."""
    first: dict[tuple[object, ...], NewAnswer] = {}
    for one in said:
        kept = first.setdefault((one.item.id, one.answered_by, one.answered_at), one)
        if kept.label != one.label:
            raise LabelError(
                f"{one.where}: {one.label!r} contradicts {kept.label!r} of {kept.where}, of the "
                "same part; keep one of them"
            )
