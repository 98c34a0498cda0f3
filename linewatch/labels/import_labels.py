"""Reading people's labels and decisions from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel
from db.labels.lookup import counted_parts, pictures_of_parts
from linewatch.errors import LabelError
from linewatch.labels.file import LabelTable, Row
from linewatch.labels.pictures import (
    Named,
    file_bytes,
    ids_of,
    in_folder,
    key_of,
    known,
    not_known,
    plain,
    read_table,
)
from linewatch.labels.text import whole_number

_MOST_PASSES = 1_000_000  # as in messages
_CLOCKS_DIFFER = timedelta(minutes=5)
_A_TIME = "write 2026-05-31T14:00:00+02:00"
_Said = TypeVar("_Said", NewLabel, NewDecision)


@dataclass(slots=True)
class Told:
    """What a file says.

    Attributes:
        labels: on pictures.
        decisions: on parts. A part that has one picture gets a label on it besides, unless a pass
            is named; of several it is not known which shows the defect.
        unknown: files whose picture was never inspected.
        encoding: what a table was read as.
    """

    labels: list[NewLabel] = field(default_factory=list)
    decisions: list[NewDecision] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)
    encoding: str = ""


def read(engine: Engine, path: Path, *, by: str, product: str | None = None) -> Told:
    """Labels and decisions from a table (see `linewatch.labels.file`), from class sub-folders, or
    from an export of Label Studio (`.json`, see `linewatch.labels.label_studio`).

    Args:
        engine: the database that knows the pictures.
        path: a file, or a folder whose sub-folders are classes.
        by: who labelled, where the table does not say.
        product: whose the parts are, where the table does not say.

    Raises:
        LabelError: with the line, when the file cannot be read, a picture is not known, or a person
            says two things of one picture at one time. What is said twice alike is stored once.
    """
    told = _read(engine, path, by, product)
    told.labels = _once(told.labels)
    told.decisions = _once(told.decisions)
    return told


def _about(said: NewLabel | NewDecision) -> tuple[object, ...]:
    """Of what somebody said it, who, and when."""
    if isinstance(said, NewLabel):
        return said.inspection_id, said.labelled_by, said.labelled_at
    return said.product, said.part, said.pass_number, said.decided_by, said.decided_at


def _once(said: Sequence[_Said]) -> list[_Said]:
    """Each statement once, in order.

    Raises:
        LabelError: two of one person at one time contradict each other.
    """
    kept: dict[tuple[object, ...], _Said] = {}
    for one in said:
        first = kept.setdefault(_about(one), one)
        if first.label != one.label:
            raise LabelError(
                f"{one.where}: {one.label!r} contradicts {first.label!r} of {first.where}, of the "
                "same picture or part; keep one of them, or say when each was said in a column "
                "'labelled_at'"
            )
    return list(kept.values())


def _read(engine: Engine, path: Path, by: str, product: str | None) -> Told:
    if path.suffix.lower() == ".json":
        from linewatch.labels import label_studio

        return label_studio.told(engine, file_bytes(path), str(path), by=by, product=product)
    if path.is_dir():
        named, unknown = in_folder(engine, path, product)
        return Told([_of_folder(one, by, product) for one in named], unknown=unknown)
    table = read_table(path)
    told = Told(encoding=table.encoding)
    places = [(row, f"{path}, line {row.line}") for row in table.rows]
    if table.key == "part":
        found = _parts(engine, [key_of(table, row) for row in table.rows])
        for row, where in places:
            of, ids = _part(engine, table, row, where, found, product)
            decision = _decision(row, where, by, of, key_of(table, row))
            told.decisions.append(decision)
            if len(ids) == 1 and decision.pass_number is None:
                told.labels.append(_label(row, ids[0], where, by, of))
        return told
    owners = {_owner(row, product) for row in table.rows}
    ids_by_owner = {owner: ids_of(engine, table, owner) for owner in owners}
    for row, where in places:
        owner = _owner(row, product)
        id_ = known(engine, table, row, where, ids_by_owner[owner], owner)
        told.labels.append(_label(row, id_, where, by, owner))
    return told


def _parts(engine: Engine, names: Sequence[str]) -> dict[str, dict[str, list[UUID]]]:
    """The pictures of each part, by its name and product: none where they are purged."""
    found = pictures_of_parts(engine, names)
    for name, products in counted_parts(engine, [one for one in names if one not in found]).items():
        found[name] = {product: [] for product in products}
    return found


def _part(
    engine: Engine,
    table: LabelTable,
    row: Row,
    where: str,
    found: Mapping[str, Mapping[str, list[UUID]]],
    product: str | None,
) -> tuple[str, list[UUID]]:
    """The product of a row's part, and the part's pictures."""
    part, wanted = key_of(table, row), _owner(row, product)
    products = found.get(part, {})
    if wanted is not None:
        products = {name: ids for name, ids in products.items() if name == wanted}
    if not products:
        raise not_known(engine, table, row, where, wanted)
    if len(products) > 1:
        raise LabelError(
            f"{where}: {' and '.join(sorted(products))} both have a part {part!r}; say which in a "
            "column 'product', or with --product"
        )
    ((owner, ids),) = products.items()
    return owner, ids


def _owner(row: Row, product: str | None) -> str | None:
    return plain(row.cells.get("product")) or product


def _of_folder(one: Named, by: str, product: str | None) -> NewLabel:
    return NewLabel(
        inspection_id=one.id,
        label=one.label,
        labelled_by=by,
        source="folder",
        where=one.where,
        product=product,
    )


def _label(row: Row, id_: UUID, where: str, by: str, product: str | None) -> NewLabel:
    cells = row.cells
    return NewLabel(
        inspection_id=id_,
        label=cells["label"],
        labelled_by=plain(cells.get("labelled_by")) or by,
        source=plain(cells.get("source")) or "csv",
        labelled_at=said_at(cells.get("labelled_at"), where),
        note=plain(cells.get("note")),
        where=where,
        product=product,
    )


def _decision(row: Row, where: str, by: str, product: str, part: str) -> NewDecision:
    cells = row.cells
    return NewDecision(
        product=product,
        part=part,
        label=cells["label"],
        decided_by=plain(cells.get("labelled_by")) or by,
        source=plain(cells.get("source")) or "csv",
        decided_at=said_at(cells.get("labelled_at"), where),
        why=plain(cells.get("note")),
        pass_number=_pass(row, where),
        where=where,
    )


def _pass(row: Row, where: str) -> int | None:
    cell = row.cells.get("pass")
    if not cell:
        return None
    number = whole_number(cell, _MOST_PASSES)
    if number is None:
        raise LabelError(f"{where}: pass {cell!r} is no number from 1 to {_MOST_PASSES}")
    return number


def said_at(cell: str | None, where: str) -> datetime | None:
    """When something was said, in UTC; None where the cell is empty.

    Raises:
        LabelError: it is no time, names no time zone, or lies in the future.
    """
    if not cell:
        return None
    try:
        time = datetime.fromisoformat(cell)
        if time.tzinfo is None:
            raise LabelError(f"{where}: {cell!r} names no time zone; {_A_TIME}")
        time = time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LabelError(f"{where}: {cell!r} is no time; {_A_TIME}") from None
    if time > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise LabelError(
            f"{where}: {cell!r} lies in the future, and would outlast every later label"
        )
    return time
