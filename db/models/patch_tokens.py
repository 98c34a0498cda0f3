"""Places of pictures that are labelled good, which models remember.

They are made once, by idle workers, and go where their picture goes. A picture of one square takes
about 180 kB with the compact encoders, so only so many of each product have theirs stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, Engine, and_, exists, select

from db.base import table_of
from db.challenges.pictures import is_challenge
from db.clock import database_now
from db.labels.labels import UnseenExample
from db.labels.latest import latest_labels
from db.session import reading
from db.tables import Feature, GoldenItem, Inspection, PatchTokens
from db.upsert import insert_many_into, many

MOST = 200  # pictures of a product in one feature space: the newest
LEAST = 20  # with fewer good pictures no model remembers any
_TOKENS = table_of(PatchTokens)
_CHUNK = 50


def without_tokens(
    engine: Engine, product: str, good_class: str, fingerprint: str, look: str, *, limit: int
) -> list[UnseenExample]:
    """The newest good pictures that models may learn from and whose places are not stored.

    Of those that have features, up to the `MOST` newest; none while there are fewer than `LEAST`.
    """
    id_ = table_of(Inspection).c.id
    newest = latest_labels(product)
    has = and_(
        _TOKENS.c.inspection_id == id_,
        _TOKENS.c.fingerprint == fingerprint,
        _TOKENS.c.look == look,
    )
    query = (
        select(
            id_,
            Inspection.image_uri,
            Inspection.image_sha256,
            Inspection.camera,
            _TOKENS.c.inspection_id.is_not(None).label("there"),
        )
        .join(Feature, Feature.inspection_id == id_)
        .join(newest, newest.c.inspection_id == id_)
        .outerjoin(_TOKENS, has)
        .where(Feature.fingerprint == fingerprint)
        .where(newest.c.label == good_class)
        .where(~exists(select(GoldenItem.inspection_id).where(GoldenItem.inspection_id == id_)))
        .where(~is_challenge())
        .order_by(id_.desc())
        .limit(MOST)
    )
    with reading(engine) as connection:
        found = connection.execute(query).all()
    if len(found) < LEAST:
        return []
    return [UnseenExample(*row[:4]) for row in found if not row.there][:limit]


def store_tokens(
    connection: Connection,
    fingerprint: str,
    look: str,
    width: int,
    tokens: Mapping[UUID, bytes],
) -> int:
    """Add the places of pictures; returns how many were not there.

    Args:
        connection: to the database.
        fingerprint: of the feature space.
        look: what made them.
        width: the length of a token.
        tokens: of each picture, float16, little endian.
    """
    now = database_now(connection)
    rows = [
        {
            "inspection_id": id_,
            "fingerprint": fingerprint,
            "look": look,
            "width": width,
            "tokens": tokens[id_],
            "created_at": now,
        }
        for id_ in sorted(tokens)
    ]
    if not rows:
        return 0
    statement = insert_many_into(connection, _TOKENS).on_conflict_do_nothing()
    added = connection.execute(statement.returning(_TOKENS.c.inspection_id), many(connection, rows))
    return len(added.scalars().all())


def tokens(
    engine: Engine, ids: Sequence[UUID], fingerprint: str, look: str
) -> dict[UUID, tuple[int, bytes]]:
    """Of those of `ids` that have any, the length of a token and the tokens (float16)."""
    c, found = _TOKENS.c, dict[UUID, tuple[int, bytes]]()
    query = select(c.inspection_id, c.width, c.tokens)
    query = query.where(c.fingerprint == fingerprint, c.look == look)
    with reading(engine) as connection:
        for start in range(0, len(ids), _CHUNK):
            chunk = query.where(c.inspection_id.in_(ids[start : start + _CHUNK]))
            for id_, width, data in connection.execute(chunk):
                found[id_] = (width, data)
    return found
