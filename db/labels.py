"""Labels: what people said. Nothing is overwritten; the latest word on a picture counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Subquery, and_, exists, func, select

from db import audit
from db.base import table_of
from db.session import reading, transaction
from db.tables import DefectClass, Feature, GoldenItem, Inspection, Label, TrainingRun
from db.text import storable
from linewatch.errors import LabelError


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What somebody says a picture shows. `labelled_at` None means now."""

    inspection_id: UUID
    label: str
    labelled_by: str
    source: str = "person"
    labelled_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A labelled picture and its features (float16, little endian)."""

    id: UUID
    label: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class UnseenExample:
    """A labelled picture whose features under some fingerprint are not stored."""

    id: UUID
    label: str
    image_uri: str | None
    image_sha256: str | None


def add_labels(engine: Engine, rows: Sequence[NewLabel]) -> int:
    """Store labels, all or none; returns how many.

    Raises:
        LabelError: a picture is not known, or its product has no such class.
    """
    if not rows:
        return 0
    with transaction(engine) as connection:
        products = _products_of(connection, [row.inspection_id for row in rows])
        classes = _classes_of(connection, set(products.values()))
        stored = [_label_row(row, products, classes) for row in rows]
        connection.execute(table_of(Label).insert(), stored)
        for actor in sorted({row.labelled_by for row in rows}):
            theirs = [str(row.inspection_id) for row in rows if row.labelled_by == actor]
            detail = {"labels": len(theirs), "first": theirs[0], "last": theirs[-1]}
            audit.append_within(connection, actor, "label.add", "labels", detail)
    return len(rows)


def _products_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str | None]:
    found: dict[UUID, str | None] = {}
    for start in range(0, len(ids), 1000):
        query = select(Inspection.id, Inspection.product)
        query = query.where(Inspection.id.in_(ids[start : start + 1000]))
        found.update((row.id, row.product) for row in connection.execute(query))
    return found


def _classes_of(connection: Connection, products: set[str | None]) -> dict[str, list[str]]:
    query = select(DefectClass.product, DefectClass.code).order_by(DefectClass.position)
    classes: dict[str, list[str]] = {}
    named = [product for product in products if product is not None]
    for product, code in connection.execute(query.where(DefectClass.product.in_(named))):
        classes.setdefault(product, []).append(code)
    return classes


def _label_row(
    row: NewLabel, products: dict[UUID, str | None], classes: dict[str, list[str]]
) -> dict[str, Any]:
    product = products.get(row.inspection_id)
    if row.inspection_id not in products:
        raise LabelError(f"no inspection has the id {row.inspection_id}; submit the picture first")
    if product is None or product not in classes:
        raise LabelError(
            f"inspection {row.inspection_id} is of product {product!r}, which is not registered; "
            "register it with `linewatch products register FILE`"
        )
    if row.label not in classes[product]:
        raise LabelError(
            f"product {product} has no class {row.label!r}; it has {', '.join(classes[product])}"
        )
    now = datetime.now(UTC)
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


def _latest(product: str, until: datetime | None = None) -> Subquery:
    said = Label.product == product
    if until is not None:
        said = and_(said, Label.recorded_at <= until)
    rank = func.row_number().over(
        partition_by=Label.inspection_id, order_by=(Label.labelled_at.desc(), Label.id.desc())
    )
    ranked = select(Label.inspection_id, Label.label, rank.label("rank")).where(said).subquery()
    return (
        select(ranked.c.inspection_id, ranked.c.label).where(ranked.c.rank == 1).subquery("latest")
    )


def latest(engine: Engine, product: str, *, until: datetime | None = None) -> dict[UUID, str]:
    """Each labelled picture's latest label, of those recorded `until` then."""
    newest = _latest(product, until)
    with reading(engine) as connection:
        return dict(connection.execute(select(newest)).all())


def training_set(engine: Engine, product: str, fingerprint: str) -> list[TrainingExample]:
    """Every labelled picture whose features are stored, by id: the same labels, the same order.

    Golden pictures are left out: models are compared on them, so no model may learn from them.
    """
    newest = _latest(product)
    golden = exists(
        select(GoldenItem.inspection_id).where(GoldenItem.inspection_id == newest.c.inspection_id)
    )
    query = (
        select(newest.c.inspection_id, newest.c.label, Feature.vector)
        .join(Feature, Feature.inspection_id == newest.c.inspection_id)
        .where(Feature.fingerprint == fingerprint, ~golden)
        .order_by(newest.c.inspection_id)
    )
    with reading(engine) as connection:
        return [TrainingExample(*row) for row in connection.execute(query)]


def without_features(
    engine: Engine, product: str, fingerprint: str, *, limit: int | None = None
) -> list[UnseenExample]:
    """The labelled pictures that must be read again before they can train under `fingerprint`.

    `limit` gives only so many of them, the newest.
    """
    newest = _latest(product)
    same = and_(Feature.inspection_id == newest.c.inspection_id, Feature.fingerprint == fingerprint)
    query = (
        select(
            newest.c.inspection_id, newest.c.label, Inspection.image_uri, Inspection.image_sha256
        )
        .join(Inspection, Inspection.id == newest.c.inspection_id)
        .outerjoin(Feature, same)
        .where(Feature.inspection_id.is_(None))
        .order_by(newest.c.inspection_id.desc() if limit else newest.c.inspection_id)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [UnseenExample(*row) for row in connection.execute(query)]


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
        .group_by(Label.product)
        .order_by(Label.product)
    )
    with reading(engine) as connection:
        return dict(connection.execute(query).all())
