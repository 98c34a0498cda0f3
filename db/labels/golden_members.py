"""Golden sets: which pictures are in them. A picture in one outlives every purge."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, delete, select
from sqlalchemy.exc import IntegrityError

from db import audit
from db.base import table_of
from db.clock import database_now
from db.labels import golden_sets
from db.labels.labels import products_of
from db.labels.vocabulary import Vocabulary
from db.session import reading
from db.storable_text import storable
from db.tables import GoldenItem, Inspection
from db.upsert import insert_into
from linewatch.errors import LabelError

_TABLE = table_of(GoldenItem)
_PICTURE = table_of(Inspection)


@dataclass(frozen=True, slots=True)
class GoldenPicture:
    """A picture of a set, for people."""

    inspection_id: UUID
    label: str
    added_at: datetime
    added_by: str
    part: str | None
    image_uri: str | None
    image_sha256: str | None


def add(
    connection: Connection,
    product: str,
    set_name: str,
    labels: Mapping[UUID, str],
    *,
    by: str,
    places: Mapping[UUID, str] | None = None,
) -> int:
    """Put pictures into a set, each with the class it shows; returns how many are new in it.

    `places` says where each was named ("set.csv, line 3"), for errors.

    Raises:
        UnknownProductError: the product is not registered.
        LabelError: the set is frozen or has one of the pictures under another class, the product
            has no such class, or a picture is not known or another product's.
    """
    if not labels:
        return 0
    set_name = storable(set_name, 64)
    _refuse_wrong(connection, product, labels, places or {})
    golden_sets.alone(connection)
    golden_sets.refuse_frozen(connection, product, set_name)
    now = database_now(connection)
    rows = [
        {
            "product": product,
            "set_name": set_name,
            "inspection_id": id_,
            "label": label,
            "added_at": now,
            "added_by": storable(by, 200),
        }
        for id_, label in sorted(labels.items())
    ]
    statement = insert_into(connection, _TABLE).on_conflict_do_nothing().values(rows)
    try:
        with connection.begin_nested():
            added = connection.execute(statement.returning(_TABLE.c.inspection_id)).scalars().all()
    except IntegrityError:  # a purge took a picture since it was looked up: say which
        _refuse_wrong(connection, product, labels, places or {})
        raise
    _refuse_other_classes(connection, product, set_name, labels, places or {})
    audit.append(connection, by, "golden.add", f"{product}/{set_name}", {"pictures": len(added)})
    return len(added)


def _refuse_wrong(
    connection: Connection, product: str, labels: Mapping[UUID, str], places: Mapping[UUID, str]
) -> None:
    words = Vocabulary.of(connection, {product})
    owners = products_of(connection, sorted(labels))
    for id_, label in labels.items():
        where = places.get(id_, "")
        words.refuse_unknown(product, label, where=where)
        place = f"{where}: " if where else ""
        if id_ not in owners:
            raise LabelError(f"{place}no inspection has the id {id_}; submit the picture first")
        if owners[id_] != product:
            raise LabelError(f"{place}inspection {id_} is of product {owners[id_]}, not {product}")


def _refuse_other_classes(
    connection: Connection,
    product: str,
    set_name: str,
    labels: Mapping[UUID, str],
    places: Mapping[UUID, str],
) -> None:
    held = _members(connection, product, set_name)
    for id_, label in labels.items():
        if held[id_] != label:
            place = f"{places[id_]}: " if id_ in places else ""
            raise LabelError(
                f"{place}{product}/{set_name} has picture {id_} as {held[id_]!r}, not {label!r}; "
                "take it out with `linewatch golden remove` first"
            )


def remove(
    connection: Connection,
    product: str,
    set_name: str,
    ids: Collection[UUID],
    *,
    by: str,
    why: str = "",
) -> int:
    """Take pictures out of a set; returns how many. They may be learned from and purged again.

    Raises:
        LabelError: the set is frozen, or does not hold one of the pictures.
    """
    golden_sets.alone(connection)
    golden_sets.refuse_frozen(connection, product, set_name)
    held = _members(connection, product, set_name)
    for id_ in ids:
        if id_ not in held:
            raise LabelError(
                f"golden set {product}/{set_name} does not hold picture {id_}; see "
                f"`linewatch golden show {product}`"
            )
    for id_ in sorted(set(ids)):
        one = _of(product, set_name) & (_TABLE.c.inspection_id == id_)
        connection.execute(delete(_TABLE).where(one))
    detail = {"pictures": len(set(ids)), "ids": sorted(map(str, set(ids)))[:100], "why": why}
    audit.append(connection, by, "golden.remove", f"{product}/{set_name}", detail)
    return len(set(ids))


def dissolve(connection: Connection, product: str, set_name: str, *, by: str, why: str = "") -> int:
    """Take a whole set apart, a frozen one too; returns how many pictures it held.

    The audit log keeps its digest, which the gate's decisions name.

    Raises:
        LabelError: the set is frozen, and no reason is given.
    """
    golden_sets.alone(connection)
    if not why.strip() and golden_sets.frozen_within(connection, product, set_name) is not None:
        raise LabelError(f"{product}/{set_name} is frozen; --all needs --why REASON")
    held = _members(connection, product, set_name)
    connection.execute(delete(_TABLE).where(_of(product, set_name)))
    golden_sets.thaw(connection, product, set_name)
    detail = {"pictures": len(held), "digest": digest(held), "why": why}
    audit.append(connection, by, "golden.dissolve", f"{product}/{set_name}", detail)
    return len(held)


def members(engine: Engine, product: str, set_name: str) -> dict[UUID, str]:
    """A set's pictures and the class each shows, by id."""
    with reading(engine) as connection:
        return _members(connection, product, set_name)


def _of(product: str, set_name: str) -> ColumnElement[bool]:
    return (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)


def _members(connection: Connection, product: str, set_name: str) -> dict[UUID, str]:
    query = select(_TABLE.c.inspection_id, _TABLE.c.label).where(_of(product, set_name))
    return dict(connection.execute(query.order_by(_TABLE.c.inspection_id)).all())


def pictures(engine: Engine, product: str, set_name: str) -> list[GoldenPicture]:
    """A set's pictures by id, with what is known of each."""
    c, p = _TABLE.c, _PICTURE.c
    query = (
        select(
            *(c.inspection_id, c.label, c.added_at, c.added_by),
            *(p.part, p.image_uri, p.image_sha256),
        )
        .join(_PICTURE, p.id == c.inspection_id)
        .where(_of(product, set_name))
        .order_by(c.inspection_id)
    )
    with reading(engine) as connection:
        return [GoldenPicture(*row) for row in connection.execute(query)]


def digest(labels: Mapping[UUID, str]) -> str:
    """SHA-256 (hex) of the sorted (picture id, label) pairs: the version of a golden set."""
    text = "\n".join(f"{id_}\t{label}" for id_, label in sorted(labels.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def every_member(engine: Engine, product: str) -> frozenset[UUID]:
    """The pictures of all of a product's golden sets: no model may learn from them."""
    query = select(_TABLE.c.inspection_id).where(_TABLE.c.product == product)
    with reading(engine) as connection:
        return frozenset(connection.execute(query).scalars())


def parts(engine: Engine, product: str) -> frozenset[str]:
    """The parts that a picture of any of the product's golden sets shows."""
    query = select(_PICTURE.c.part).join(_TABLE, _TABLE.c.inspection_id == _PICTURE.c.id)
    query = query.where(_TABLE.c.product == product, _PICTURE.c.part.is_not(None))
    with reading(engine) as connection:
        return frozenset(connection.execute(query.distinct()).scalars())


def freeze(
    connection: Connection, product: str, set_name: str, *, by: str
) -> golden_sets.FrozenSet:
    """Let nothing join the set any more, and record its digest. Freezing twice changes nothing.

    Raises:
        LabelError: the set holds no picture.
    """
    golden_sets.alone(connection)
    held = _members(connection, product, set_name)
    return golden_sets.freeze(
        connection, product, set_name, digest=digest(held), pictures=len(held), by=by
    )
