"""Drawn parts as people see them: what they are called and where their pictures lie, no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, or_, select

from db.base import table_of
from db.challenges.pictures import is_challenge
from db.session import reading
from db.tables import AuditAnswer, AuditDraw, Inspection, Part
from quality.audit.draw import PassName

_DRAWS, _PARTS = table_of(AuditDraw), table_of(Part)
_PICTURES = table_of(Inspection)
_CHUNK = 200
_IN_KEY = ("product", "serial", "scope")


@dataclass(frozen=True, slots=True)
class Item:
    """A drawn part. Nothing here tells what the model said of it.

    Attributes:
        id: what people call it by.
        name: its key.
        pictures: where its views lie; empty where they are purged.
    """

    id: UUID
    name: PassName
    line: str
    made_at: datetime
    pictures: tuple[str, ...] = ()


def unanswered(
    engine: Engine,
    product: str | None = None,
    limit: int | None = None,
    *,
    since: datetime | None = None,
) -> list[Item]:
    """The drawn parts that nobody has answered, shuffled.

    Their ids are of a keyed hash, so the order of these is a shuffle that stays the same.

    Args:
        engine: the database.
        product: only this one's.
        limit: how many at most.
        since: only those made from then on.
    """
    query = _items().where(~answered())
    if since is not None:
        query = query.where(_DRAWS.c.slice_at >= since)
    if product is not None:
        query = query.where(_DRAWS.c.product == product)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(_DRAWS.c.id).limit(limit)).all()
        return list(_with_pictures(connection, rows))


def by_id(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Item]:
    """The drawn parts that are called so, answered or not, without their pictures."""
    found = {}
    for start in range(0, len(ids), _CHUNK):
        query = _items().where(_DRAWS.c.id.in_(ids[start : start + _CHUNK]))
        found.update({row.id: _item(row) for row in connection.execute(query)})
    return found


def still_unanswered(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these drawn parts that nobody has answered."""
    query = select(_DRAWS.c.id).where(_DRAWS.c.id.in_(ids), ~answered())
    return set(connection.scalars(query))


def by_name(connection: Connection, name: PassName) -> Item | None:
    """The drawn part of this name that nobody has answered yet, without its pictures."""
    mine = (_DRAWS.c[field] == value for field, value in name._asdict().items())
    row = connection.execute(_items().where(*mine, ~answered())).one_or_none()
    return None if row is None else _item(row)


def unanswered_among(connection: Connection, names: Sequence[PassName]) -> set[PassName]:
    """Those of these parts that were drawn and that nobody has answered."""
    wanted, found = set(names), set()
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        query = select(*(_DRAWS.c[field] for field in PassName._fields)).where(
            *(_DRAWS.c[field].in_({getattr(one, field) for one in chunk}) for field in _IN_KEY),
            ~answered(),
        )
        found |= {PassName(*row) for row in connection.execute(query)}
    return found & wanted


def by_serial(connection: Connection, serials: Sequence[str]) -> dict[str, list[Item]]:
    """The drawn parts of these serial numbers, of every product and pass."""
    found: dict[str, list[Item]] = {}
    for start in range(0, len(serials), _CHUNK):
        query = _items().where(_DRAWS.c.serial.in_(serials[start : start + _CHUNK]))
        for row in connection.execute(query.where(_DRAWS.c.serial != "").order_by(_DRAWS.c.id)):
            found.setdefault(row.serial, []).append(_item(row))
    return found


def answered() -> ColumnElement[bool]:
    """Whether somebody has answered a row of the sample."""
    c = table_of(AuditAnswer).c
    return exists(select(c.id).where(*(c[name] == _DRAWS.c[name] for name in PassName._fields)))


def _items() -> Select[Any]:
    """Of a part whose first pictures came late, time and line are what they are now."""
    same = and_(*(_PARTS.c[name] == _DRAWS.c[name] for name in PassName._fields), _PARTS.c.counted)
    return select(
        *(_DRAWS.c[name] for name in ("id", *PassName._fields, "line", "made_at")),
        _PARTS.c.made_at.label("begins"),
        _PARTS.c.last_at.label("ends"),
    ).select_from(_DRAWS.outerjoin(_PARTS, same))


def _with_pictures(connection: Connection, rows: Sequence[Any]) -> Iterator[Item]:
    c = _PICTURES.c
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        serials = [row.serial for row in chunk if row.serial]
        alone = [UUID(row.scope) for row in chunk if not row.serial]
        query = select(c.id, c.product, c.part, c.made_at, c.image_uri).where(
            or_(c.part.in_(serials), c.id.in_(alone)), c.image_uri.is_not(None), ~is_challenge()
        )
        found: dict[tuple[str, str], list[Any]] = {}
        for picture in connection.execute(query.order_by(c.made_at, c.id)):
            key = (picture.product or "", picture.part or str(picture.id))
            found.setdefault(key, []).append(picture)
        for row in chunk:
            mine = found.get((row.product, row.serial or row.scope), [])
            yield _item(row, tuple(one.image_uri for one in mine if _within(row, one.made_at)))


def _within(row: Any, made_at: datetime | None) -> bool:
    if not row.serial or row.begins is None or made_at is None:
        return True
    return bool(row.begins <= made_at <= row.ends)


def _item(row: Any, pictures: tuple[str, ...] = ()) -> Item:
    name = PassName(*(getattr(row, field) for field in PassName._fields))
    return Item(row.id, name, row.line, row.begins or row.made_at, pictures)
