"""The parts that wait for a person: a bounded number, by indexes of the open ones alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select, text, union_all

from db.base import table_of
from db.tables import Inspection, LabelledPicture, Line, Part, PartShiftCount
from db.tables.inspection import LEFT_ALONE
from quality.audit.draw import PassName
from quality.parts.disposition import Why

_P, _I, _S = table_of(Part).c, table_of(Inspection).c, table_of(PartShiftCount).c
_LABELLED = table_of(LabelledPicture).c
_OPEN = text("disposition = 'open' AND counted")  # in the words of the partial index
_NOT_BY_MODEL = text("decided_by <> 'model'")  # likewise
_LEAST = 20  # of each line and reason
_COLUMNS = (
    *(_P.product, _P.serial, _P.scope, _P.pass_number, _P.line, _P.lot, _P.made_at, _P.last_at),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A part that waits. Nothing here tells what a model said of it, or why it waits.

    Attributes:
        made_at: when its first picture was taken, `last_at` when its last; None: not known.
    """

    name: PassName
    line: str
    lot: str
    made_at: datetime | None
    last_at: datetime | None


def open_parts(
    connection: Connection, product: str, *, line: str = "", lot: str = "", limit: int = 240
) -> list[Waiting]:
    """Open parts with a serial number, or that people spoke of: the oldest of each line and reason.

    Args:
        connection: reads.
        product: whose.
        line: only this one's.
        lot: only this one's.
        limit: about how many.
    """
    rows = connection.execute(
        _of_lot(product, lot, line, limit) if lot else _by_line(connection, product, line, limit)
    )
    return [_waiting(row) for row in rows]


def _of_lot(product: str, lot: str, line: str, limit: int) -> Select[Any]:
    query = select(*_COLUMNS).where(_P.product == product, _P.lot == lot, _NOT_BY_MODEL, _OPEN)
    query = query.where(_P.line == line) if line else query
    return query.order_by(_P.made_at).limit(limit)


def _by_line(connection: Connection, product: str, line: str, limit: int) -> Any:
    """Each line and reason is a stretch of the index, which is read from its beginning."""
    lines = [line] if line else ["", *connection.scalars(select(Line.code).order_by(Line.code))]
    each = max(_LEAST, limit // (len(lines) * len(Why)))
    stretches = []
    for code in lines[:100]:
        for why in Why:
            one = select(*_COLUMNS).where(_P.line == code, _P.product == product)
            one = one.where(_P.why == str(why), _OPEN).order_by(_P.made_at).limit(each)
            stretches.append(select(one.subquery()))
    return union_all(*stretches)


def open_pictures(
    connection: Connection, product: str, *, line: str = "", lot: str = "", limit: int = 60
) -> list[Waiting]:
    """Pictures without a serial number that nobody has decided, the newest first.

    They have no row of their own; the counts say whether, and since when, there are any.
    """
    since = connection.scalar(
        select(func.min(_S.shift_at, type_=_S.shift_at.type)).where(
            *(_S.product == product, _S.disposition == "open", ~_S.serialised, _S.parts > 0),
            *(condition for condition in _named(_S, line, lot)),
        )
    )
    if since is None:
        return []
    labelled = select(_LABELLED.inspection_id).where(_LABELLED.inspection_id == _I.id).exists()
    query = (
        _alone()
        .where(text(LEFT_ALONE), _I.decided_at >= since, _I.product == product)
        .where(~labelled, *_named(_I, line, lot))
        .order_by(_I.decided_at.desc())
        .limit(limit)
    )
    return [_picture(row) for row in connection.execute(query)]


def _alone() -> Select[Any]:
    columns = (_I.product, _I.id, _I.line, _I.lot, _I.made_at, _I.decided_at)
    return select(*columns).where(func.coalesce(_I.part, "") == "")


def _picture(row: Any) -> Waiting:
    at = row.made_at or row.decided_at
    name = PassName(row.product or "", "", str(row.id), 1)
    return Waiting(name, row.line or "", row.lot or "", at, at)


def _named(columns: Any, line: str, lot: str) -> Iterator[ColumnElement[bool]]:
    if line:
        yield columns.line == line
    if lot:
        yield columns.lot == lot


def open_by_lot(connection: Connection, product: str, lots: Sequence[str]) -> dict[str, int]:
    """How many parts of each lot are open."""
    query = select(_S.lot, func.sum(_S.parts)).where(
        *(_S.product == product, _S.lot.in_([lot for lot in lots if lot])),
        *(_S.disposition == "open", _S.parts > 0),
    )
    return {lot: int(parts) for lot, parts in connection.execute(query.group_by(_S.lot))}


def open_by_product(connection: Connection) -> dict[str, int]:
    """How many parts of each product are open, most first."""
    parts = func.sum(_S.parts)
    query = select(_S.product, parts).where(_S.disposition == "open", _S.parts > 0)
    query = query.where(_S.product != "").group_by(_S.product).order_by(parts.desc(), _S.product)
    return {product: int(number) for product, number in connection.execute(query)}


def part_of(connection: Connection, name: PassName) -> Waiting | None:
    """A part by its name; None where there is none, or it is no part of production."""
    return parts_of(connection, [name]).get(name)


def parts_of(
    connection: Connection, names: Sequence[PassName], *, still_open: bool = False
) -> dict[PassName, Waiting]:
    """Parts by their names, in this order; what is no part of production is left out.

    Args:
        connection: reads.
        names: a few hundred at most.
        still_open: only those that are.
    """
    rows = _rows(connection, names)
    alone = [one for one in names if not one.serial and one not in rows]
    pictures = _pictures(connection, [id_ for one in alone if (id_ := as_uuid(one.scope))])
    found = {}
    for name in names:
        row = rows.get(name)
        if row is not None and not (still_open and row.disposition != "open"):
            found[name] = Waiting(name, row.line, row.lot, row.made_at, row.last_at)
        elif row is None and name in pictures:
            found[name] = pictures[name]
    return found


def _rows(connection: Connection, names: Sequence[PassName]) -> dict[PassName, Any]:
    """Rows of `parts`; a picture that anybody ever spoke of has one."""
    products, scopes = {one.product for one in names}, {one.scope for one in names}
    serials = {one.serial for one in names}
    query = select(*_COLUMNS, _P.disposition).where(_P.product.in_(products), _P.counted)
    query = query.where(_P.serial.in_(serials), _P.scope.in_(scopes))
    wanted = set(names)
    return {
        name: row for row in connection.execute(query) if (name := PassName(*row[:4])) in wanted
    }


def _pictures(connection: Connection, ids: Sequence[UUID]) -> dict[PassName, Waiting]:
    if not ids:
        return {}
    found = (_picture(row) for row in connection.execute(_alone().where(_I.id.in_(ids))))
    return {one.name: one for one in found}


def as_uuid(text_: str) -> UUID | None:
    """A picture's id; None where it is none."""
    try:
        return UUID(text_)
    except ValueError:
        return None


def _waiting(row: Any) -> Waiting:
    return Waiting(PassName(*row[:4]), *row[4:])
