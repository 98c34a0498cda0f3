"""Feature spaces: which fingerprints exist, and which one labels can train in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, distinct, exists, func, select

from db.base import table_of
from db.clock import database_now
from db.inspections.records import StoredFeatures, all_finite
from db.models import deployments, versions
from db.session import reading
from db.tables import Feature, GoldenItem, Label
from db.tables import FeatureSpace as FeatureSpaceRow
from db.upsert import insert_into, insert_many_into, many


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """A fingerprint, the encoders behind it in words, and its vectors' length."""

    fingerprint: str
    encoders: str
    dim: int
    reference: str | None = None

    @property
    def family(self) -> str:
        """The float32 space that this one is a precision of; that one's own fingerprint."""
        return self.reference or self.fingerprint


def register(
    connection: Connection,
    fingerprint: str,
    *,
    encoders: str,
    dim: int,
    reference: str | None = None,
) -> None:
    """Note what a fingerprint stands for; a worker says so when it starts.

    `reference` is the float32 fingerprint of the same encoders and recipe.
    """
    table = table_of(FeatureSpaceRow)
    row = {
        "fingerprint": fingerprint,
        "encoders": encoders,
        "dim": dim,
        "registered_at": database_now(connection),
        "reference": None if reference == fingerprint else reference,
    }
    connection.execute(insert_into(connection, table).on_conflict_do_nothing(), row)


def get(engine: Engine, fingerprint: str) -> FeatureSpace | None:
    """What `fingerprint` stands for, or None."""
    c = table_of(FeatureSpaceRow).c
    query = select(c.fingerprint, c.encoders, c.dim, c.reference)
    query = query.where(c.fingerprint == fingerprint)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else FeatureSpace(*row)


def newest_labelled(engine: Engine, product: str) -> FeatureSpace | None:
    """The space that a labelled picture's features were last made in, or None."""
    return next((space for space, _ in labelled_spaces(engine, product)), None)


def labelled_spaces(engine: Engine, product: str) -> list[tuple[FeatureSpace, int]]:
    """The spaces of labelled pictures' features, and of how many; the last made in comes first.

    Golden pictures do not count: nothing is learned from them.
    """
    golden = exists(
        select(GoldenItem.inspection_id).where(GoldenItem.inspection_id == Label.inspection_id)
    )
    c = table_of(FeatureSpaceRow).c
    pictures = func.count(distinct(table_of(Feature).c.inspection_id))
    query = (
        select(c.fingerprint, c.encoders, c.dim, c.reference, pictures)
        .join(Feature, Feature.fingerprint == c.fingerprint)
        .join(Label, Label.inspection_id == Feature.inspection_id)
        .where(Label.product == product, ~golden)
        .group_by(c.fingerprint, c.encoders, c.dim, c.reference)
        .order_by(func.max(Feature.created_at).desc(), c.fingerprint)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [(FeatureSpace(*row[:4]), row[4]) for row in rows]


def of_product(engine: Engine, product: str) -> tuple[list[tuple[FeatureSpace, int]], str | None]:
    """A product's `labelled_spaces` and, in words, the space of its champion, if it has one."""
    version = deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    return labelled_spaces(engine, product), None if info is None else info.encoders


def store_features(connection: Connection, features: Iterable[tuple[UUID, StoredFeatures]]) -> int:
    """Add vectors of inspected pictures, as after a change of encoders; returns how many."""
    table = table_of(Feature)
    now = database_now(connection)
    rows = [
        {
            "inspection_id": id_,
            "fingerprint": stored.fingerprint,
            "vector": stored.vector,
            "created_at": now,
        }
        for id_, stored in sorted(features, key=lambda pair: pair[0])
    ]
    if not rows:
        return 0
    statement = insert_many_into(connection, table).on_conflict_do_nothing()
    added = connection.execute(statement.returning(table.c.inspection_id), many(connection, rows))
    return len(added.scalars().all())


def vectors(engine: Engine, ids: Sequence[UUID], fingerprint: str) -> dict[UUID, bytes]:
    """The stored vectors (float16, little endian) of those of `ids` that have them.

    Those of a picture that encoders failed on, of which some numbers are none, are left out.
    """
    c = table_of(Feature).c
    query = select(c.inspection_id, c.vector).where(c.fingerprint == fingerprint)
    found: dict[UUID, bytes] = {}
    with reading(engine) as connection:
        for start in range(0, len(ids), 500):
            chunk = query.where(c.inspection_id.in_(ids[start : start + 500]))
            found.update(connection.execute(chunk).all())
    return {id_: vector for id_, vector in found.items() if all_finite(vector)}
