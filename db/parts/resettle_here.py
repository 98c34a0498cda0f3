"""Serial numbers settled again on SQLite, and those with fewer pictures than were counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.parts.recounted import Settled
from db.parts.settle import Serial, settle
from db.tables import Inspection, Part, PurgedView

_I, _P = table_of(Inspection).c, table_of(Part).c
_CHUNK = 400


def serials_made(connection: Connection, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """Every serial number with a picture or a part of that time."""
    product = func.coalesce(_I.product, "")
    made_at = func.coalesce(_I.made_at, _I.captured_at, _I.decided_at)
    pictures = select(product, _I.part).where(_I.part != "", made_at >= since, made_at < until)
    parts = select(_P.product, _P.serial).where(_P.serial != "", _P.counted)
    parts = parts.where(_P.made_at >= since, _P.made_at < until)
    return [(row[0], row[1]) for row in connection.execute(pictures.union(parts))]


def resettle(
    connection: Connection, serials: Sequence[tuple[str, str]], pictures: Sequence[UUID]
) -> Settled:
    """Settle them again."""
    before = _rows(connection, serials, pictures)
    lost = _lost(connection, serials, before)
    settle(connection, [Serial(*one) for one in serials if one not in lost], pictures)
    after = _rows(connection, serials, pictures)
    changed = sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
    days = {row["plant_day"] for key, row in before.items() if key[:2] in lost}
    return Settled(changed, len(lost), frozenset(days))


def _rows(
    connection: Connection, serials: Sequence[tuple[str, str]], pictures: Iterable[UUID]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The counted rows of these, by key."""
    mine = set(serials)
    found = [
        *_chunked(connection, _P.serial, sorted({serial for _, serial in serials})),
        *_chunked(connection, _P.scope, [str(id_) for id_ in pictures]),
    ]
    return {
        (row["product"], row["serial"], row["scope"], row["pass_number"]): row
        for row in found
        if row["serial"] == "" or (row["product"], row["serial"]) in mine
    }


def _chunked(connection: Connection, column: Any, values: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for start in range(0, len(values), _CHUNK):
        query = select(table_of(Part)).where(_P.counted, column.in_(values[start : start + _CHUNK]))
        found += [dict(row) for row in connection.execute(query).mappings()]
    return found


def _lost(
    connection: Connection,
    serials: Sequence[tuple[str, str]],
    rows: Mapping[tuple[Any, ...], Mapping[str, Any]],
) -> set[tuple[Any, ...]]:
    """Serial numbers with fewer pictures than their rows say."""
    views: Counter[tuple[Any, ...]] = Counter()
    for key, row in rows.items():
        if row["serial"]:
            views[key[:2]] += row["views"]
    for product, serial in serials:
        v = table_of(PurgedView).c
        here = select(_I.id).where(_I.part == serial, func.coalesce(_I.product, "") == product)
        kept = select(v.id).where(v.product == product, v.part == serial)
        ids = here.union(kept).subquery()
        views[product, serial] -= connection.scalar(select(func.count()).select_from(ids)) or 0
    return {key for key, more in views.items() if more > 0}
