"""Which part each picture shows, by name: what splits for training and comparison go by."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from db.base import table_of
from db.parts.facts import made_at_of, rules_of, scope_of
from db.parts.slices import Slices
from db.tables import Inspection

Unit = Literal["part", "lot"]
UNITS: tuple[Unit, ...] = get_args(Unit)
_CHUNK = 1000
_I = table_of(Inspection).c
_MADE = (_I.made_at, _I.captured_at, _I.decided_at, _I.by_receipt)
_ASKED = (_I.id, _I.part, _I.lot, _I.line, *_MADE)


def parts_of_pictures(
    connection: Connection, product: str, ids: Collection[UUID], by: Unit = "part"
) -> dict[UUID, str]:
    """The name of each picture's part, or of its lot.

    All pictures of one serial number are of one part, whatever the camera and the pass through the
    line, within what the product's `serial_unique_within` says. A picture without a serial number
    is a part of its own, named by its id alone; so it is by lot where it has no lot either.

    Args:
        product: whose pictures they are.
        ids: of pictures; those that are not known are left out.
        by: the unit that a split keeps together.
    """
    rules, slices = rules_of(connection, [product])[product], Slices(connection)
    found: dict[UUID, str] = {}
    for chunk in _chunks(sorted(ids)):
        for row in connection.execute(select(*_ASKED).where(_I.id.in_(chunk)).order_by(_I.id)):
            if by == "lot" and row.lot:
                found[row.id] = json.dumps([row.lot])
            elif row.part:
                scope = scope_of(slices, row, made_at_of(row), rules)
                found[row.id] = json.dumps([scope, row.part])
            else:
                found[row.id] = str(row.id)
    return found


def split_note(connection: Connection, product: str, ids: Collection[UUID], by: Unit) -> str | None:
    """What a person who asks for splits by lot must know; None: nothing.

    Args:
        product, ids, by: as of `parts_of_pictures`.
    """
    if by != "lot" or not ids:
        return None
    query, bare = select(func.count()).where(or_(_I.lot.is_(None), _I.lot == "")), 0
    for chunk in _chunks(sorted(ids)):
        bare += connection.scalar(query.where(_I.id.in_(chunk))) or 0
    if not bare:
        return None
    if bare < len(ids):
        return (
            f"{bare} of {len(ids)} pictures of {product} have no lot: in splits by lot they stay "
            "with their part"
        )
    return (
        f"no picture of {product} has a lot: it is split by part, and its figures say nothing of "
        "the next lot; cameras and `linewatch submit --lot` say a picture's lot"
    )


def _chunks(ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
