"""Golden sets: which pictures are in them. A picture in one outlives every purge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Engine, delete, select

from db import audit, golden_sets
from db.base import table_of
from db.clock import database_now
from db.session import reading, transaction
from db.tables import GoldenItem
from db.text import storable
from db.upsert import insert_into

_TABLE = table_of(GoldenItem)


def add(engine: Engine, product: str, set_name: str, labels: Mapping[UUID, str], *, by: str) -> int:
    """Put pictures into a set, each with the class it shows; returns how many are new in it.

    Raises:
        sqlalchemy.exc.IntegrityError: a picture has no inspection.
        LabelError: the set is frozen.
    """
    if not labels:
        return 0
    with transaction(engine) as connection:
        golden_sets.refuse_frozen(connection, product, set_name)
        now = database_now(connection)
        rows = [
            {
                "product": product,
                "set_name": storable(set_name, 64),
                "inspection_id": id_,
                "label": label,
                "added_at": now,
                "added_by": storable(by, 200),
            }
            for id_, label in sorted(labels.items())
        ]
        statement = insert_into(connection, _TABLE).on_conflict_do_nothing().values(rows)
        added = connection.execute(statement.returning(_TABLE.c.inspection_id)).scalars().all()
        audit.append_within(
            connection, by, "golden.add", f"{product}/{set_name}", {"pictures": len(added)}
        )
        return len(added)


def remove(engine: Engine, product: str, set_name: str, *, by: str) -> int:
    """Dissolve a set; returns how many pictures it held. They may be purged from now on."""
    with transaction(engine) as connection:
        where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
        count = connection.execute(delete(_TABLE).where(where)).rowcount
        golden_sets.thaw(connection, product, set_name)
        audit.append_within(
            connection, by, "golden.remove", f"{product}/{set_name}", {"pictures": count}
        )
        return count


def members(engine: Engine, product: str, set_name: str) -> dict[UUID, str]:
    """A set's pictures and the class each shows, by id."""
    where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
    query = select(_TABLE.c.inspection_id, _TABLE.c.label).where(where)
    with reading(engine) as connection:
        return dict(connection.execute(query.order_by(_TABLE.c.inspection_id)).all())


def digest(labels: Mapping[UUID, str]) -> str:
    """SHA-256 (hex) of the sorted (picture id, label) pairs: the version of a golden set."""
    text = "\n".join(f"{id_}\t{label}" for id_, label in sorted(labels.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def every_member(engine: Engine, product: str) -> frozenset[UUID]:
    """The pictures of all of a product's golden sets: no model may learn from them."""
    query = select(_TABLE.c.inspection_id).where(_TABLE.c.product == product)
    with reading(engine) as connection:
        return frozenset(connection.execute(query).scalars())


def freeze(engine: Engine, product: str, set_name: str, *, by: str) -> golden_sets.FrozenSet:
    """Let nothing join the set any more, and record its digest. Freezing twice changes nothing.

    Raises:
        LabelError: the set holds no picture.
    """
    held = members(engine, product, set_name)
    return golden_sets.freeze(
        engine, product, set_name, digest=digest(held), pictures=len(held), by=by
    )
