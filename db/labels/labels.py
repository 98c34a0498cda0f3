"""Labels: what people said. Nothing is overwritten; the latest word on a picture counts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, exists, func, select, union
from sqlalchemy.exc import IntegrityError

from db import audit
from db.base import table_of
from db.challenges.pictures import is_challenge
from db.clock import database_now
from db.inspections.records import all_finite
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.labels.latest import latest_labels
from db.labels.picture_parts import Unit, parts_of_pictures
from db.labels.vocabulary import TAKEN_BACK, Vocabulary
from db.outbox.append import append_parts
from db.parts.settle import parts_of, settle
from db.session import reading
from db.storable_text import storable
from db.tables import Feature, GoldenItem, Inspection, Label, TrainingRun
from linewatch.errors import LabelError

log = logging.getLogger(__name__)

_Stored = Row[Any]  # a picture's id, its label, its vector


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What somebody says a picture shows. `labelled_at` None means now, by the database's
    clock: people's machines differ, and the latest word counts.

    `product` is whose picture it is meant to be, where that was said; `where` is where it was said
    ("labels.csv, line 3"), for errors. The label `TAKEN_BACK` leaves the picture without one.
    """

    inspection_id: UUID
    label: str
    labelled_by: str
    source: str = "person"
    labelled_at: datetime | None = None
    note: str = ""
    where: str = ""
    product: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A labelled picture, its features (float16, little endian) and the part that it shows.

    `group` names the part, or the lot, that splits keep together: see `db.labels.picture_parts`.
    """

    id: UUID
    label: str
    vector: bytes
    group: str


@dataclass(frozen=True, slots=True)
class UnseenExample:
    """A labelled or golden picture whose features under some fingerprint are not stored."""

    id: UUID
    image_uri: str | None
    image_sha256: str | None
    camera: str | None


def add_labels(
    connection: Connection, rows: Sequence[NewLabel], on_parts: Sequence[NewDecision] = ()
) -> int:
    """Store labels, and decisions on parts that were made with them, all or none.

    Returns:
        How many labels.

    Raises:
        LabelError: a picture is not known, or its product has no such class.
        UnknownProductError: a product is not registered.
    """
    if not rows and not on_parts:
        return 0
    products = products_of(connection, [row.inspection_id for row in rows])
    words = Vocabulary.of(connection, set(products.values()))
    stored = _label_rows(rows, products, words, database_now(connection))
    if stored:
        _insert(connection, rows, stored, words)
    decisions.store(connection, on_parts)
    serials, singles = parts_of(connection, [row.inspection_id for row in rows])
    serials += decisions.serials_of(on_parts)
    settle(connection, serials, singles)
    append_parts(connection, serials, singles)
    for actor in sorted({row.labelled_by for row in rows}):
        theirs = [str(row.inspection_id) for row in rows if row.labelled_by == actor]
        detail = {"labels": len(theirs), "first": theirs[0], "last": theirs[-1]}
        audit.append(connection, actor, "label.add", "labels", detail)
    decisions.note(connection, on_parts)
    return len(rows)


def _insert(
    connection: Connection,
    rows: Sequence[NewLabel],
    stored: Sequence[Mapping[str, Any]],
    words: Vocabulary,
) -> None:
    try:
        with connection.begin_nested():
            connection.execute(table_of(Label).insert(), stored)
    except IntegrityError:  # a purge took a picture since it was looked up: say which
        products = products_of(connection, [row.inspection_id for row in rows])
        _label_rows(rows, products, words, database_now(connection))
        raise


def products_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """The product of each of these inspections; those that are not known are absent."""
    found: dict[UUID, str | None] = {}
    for start in range(0, len(ids), 1000):
        query = select(Inspection.id, Inspection.product)
        query = query.where(Inspection.id.in_(ids[start : start + 1000]))
        found.update((row.id, row.product) for row in connection.execute(query))
    return found


def _label_rows(
    rows: Sequence[NewLabel],
    products: dict[UUID, str | None],
    words: Vocabulary,
    now: datetime,
) -> list[dict[str, Any]]:
    """Rows to insert, by picture: purges lock pictures in the same order."""
    stored = [_label_row(row, products, words, now) for row in rows]
    return sorted(stored, key=lambda row: row["inspection_id"])


def _label_row(
    row: NewLabel, products: dict[UUID, str | None], words: Vocabulary, now: datetime
) -> dict[str, Any]:
    place = f"{row.where}: " if row.where else ""
    product = products.get(row.inspection_id)
    if row.inspection_id not in products:
        raise LabelError(
            f"{place}no inspection has the id {row.inspection_id}; submit the picture first"
        )
    if product is None or product not in words.classes:
        raise LabelError(
            f"{place}inspection {row.inspection_id} is of product {product!r}, which is not "
            "registered; register it with `linewatch products register FILE`"
        )
    if row.product not in (None, product):
        raise LabelError(
            f"{place}inspection {row.inspection_id} is of product {product}, not of {row.product}"
        )
    if row.label != TAKEN_BACK:
        words.refuse_unknown(product, row.label, where=row.where)
    return {
        "inspection_id": row.inspection_id,
        "product": product,
        "label": row.label,
        "labelled_by": storable(row.labelled_by, 200),
        "labelled_at": row.labelled_at or now,
        "recorded_at": now,
        "source": storable(row.source, 64),
        "note": storable(row.note, 2000),
    }


def latest(engine: Engine, product: str, *, until: datetime | None = None) -> dict[UUID, str]:
    """Each labelled picture's latest label, of those recorded `until` then."""
    newest = latest_labels(product, until=until)
    with reading(engine) as connection:
        query = select(newest.c.inspection_id, newest.c.label)
        return dict(connection.execute(query).all())


def training_set(
    engine: Engine, product: str, fingerprint: str, *, by: Unit = "part"
) -> list[TrainingExample]:
    """Every labelled picture whose features are stored, by id: the same labels, the same order.

    Golden parts are left out, with all their pictures: models are compared on them, so no model may
    learn from them. So are those of challenges: a model that knows these parts is not challenged by
    them. And pictures that encoders failed on: one of them must not stop a training, so the log
    tells of them. `by` says what the examples' groups name.
    """
    newest = latest_labels(product)
    golden = select(GoldenItem.inspection_id).where(GoldenItem.product == product)
    query = (
        select(newest.c.inspection_id, newest.c.label, Feature.vector)
        .join(Feature, Feature.inspection_id == newest.c.inspection_id)
        .where(Feature.fingerprint == fingerprint, ~_challenged(newest.c.inspection_id))
        .order_by(newest.c.inspection_id)
    )
    with reading(engine) as connection:
        rows = _finite(product, connection.execute(query).all())
        held = connection.execute(golden).scalars().all()
        ids = {*held, *(row.inspection_id for row in rows)}
        parts = parts_of_pictures(connection, product, ids)
        groups = parts if by == "part" else parts_of_pictures(connection, product, ids, by)
    barred = {parts[id_] for id_ in held if id_ in parts}
    return [
        TrainingExample(row.inspection_id, row.label, row.vector, groups[row.inspection_id])
        for row in rows
        if parts[row.inspection_id] not in barred
    ]


def _finite(product: str, rows: Sequence[_Stored]) -> list[_Stored]:
    kept = [row for row in rows if all_finite(row.vector)]
    if len(kept) < len(rows):
        first = next(row.inspection_id for row in rows if not all_finite(row.vector))
        log.warning(
            "%s: %d labelled pictures are left out, the encoders failed on them (the first is %s)",
            product,
            len(rows) - len(kept),
            first,
        )
    return kept


def _challenged(id_: ColumnElement[UUID]) -> ColumnElement[bool]:
    return exists(select(Inspection.id).where(Inspection.id == id_, is_challenge()))


def without_features(
    engine: Engine, product: str, fingerprint: str, *, limit: int | None = None
) -> list[UnseenExample]:
    """The pictures that must be read again before models under `fingerprint` can know them.

    Labelled ones, to be learned from, and golden ones, to be compared on. `limit` gives only so
    many of them, the newest.
    """
    wanted = union(
        select(Label.inspection_id).where(
            Label.product == product, ~_challenged(table_of(Label).c.inspection_id)
        ),
        select(GoldenItem.inspection_id).where(GoldenItem.product == product),
    ).subquery("wanted")
    id_ = wanted.c.inspection_id
    same = and_(Feature.inspection_id == id_, Feature.fingerprint == fingerprint)
    query = (
        select(id_, Inspection.image_uri, Inspection.image_sha256, Inspection.camera)
        .join(Inspection, Inspection.id == id_)
        .outerjoin(Feature, same)
        .where(Feature.inspection_id.is_(None))
        .order_by(id_.desc() if limit else id_)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [UnseenExample(*row) for row in connection.execute(query)]


def labelled_challenges(engine: Engine, product: str) -> frozenset[UUID]:
    """The labelled pictures that are of challenges."""
    query = select(Inspection.id).join(Label, Label.inspection_id == Inspection.id)
    query = query.where(Label.product == product, is_challenge()).distinct()
    with reading(engine) as connection:
        return frozenset(connection.execute(query).scalars())


def new_since_training(engine: Engine) -> dict[str, int]:
    """How many labels each product got since its last training run began (all, if none did)."""
    last = (
        select(TrainingRun.product, func.max(TrainingRun.started_at).label("at"))
        .group_by(TrainingRun.product)
        .subquery()
    )
    query = (
        select(Label.product, func.count())
        .outerjoin(last, last.c.product == Label.product)
        .where(last.c.at.is_(None) | (Label.recorded_at > last.c.at))
        .where(~_challenged(table_of(Label).c.inspection_id), Label.label != TAKEN_BACK)
        .group_by(Label.product)
        .order_by(Label.product)
    )
    with reading(engine) as connection:
        return dict(connection.execute(query).all())
