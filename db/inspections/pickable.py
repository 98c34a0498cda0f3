"""Pictures that were inspected before and can teach: people pick them to set a product up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, and_, or_, select

from db.base import table_of
from db.challenges.pictures import is_challenge
from db.inspections.listed import After
from db.inspections.set_up import LINE
from db.labels.vocabulary import TAKEN_BACK
from db.session import reading
from db.tables import Inspection, Label
from producer.contract import Verdict

_INSPECTIONS, _LABELS = table_of(Inspection), table_of(Label)
_LOST = (Verdict.REJECTED, Verdict.DEAD_LETTER)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which pictures; None does not narrow.

    Attributes:
        line, camera, product: where they were taken and what they show.
        since, until: when the verdict fell, the second exclusive.
    """

    line: str | None = None
    camera: str | None = None
    product: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """A picture that a worker has judged.

    Attributes:
        id: the inspection's.
        product, line, camera, part: as its message said; part None: no serial number.
        decided_at: when the verdict fell.
        verdict, defect_class: how it ended.
        image_uri, image_sha256: its file; the second None where nobody read all of it.
        label: the label that holds; None: nobody labelled it.
    """

    id: UUID
    product: str
    line: str | None
    camera: str | None
    part: str | None
    decided_at: datetime
    verdict: str
    defect_class: str | None
    image_uri: str
    image_sha256: str | None
    label: str | None


def page(
    engine: Engine, product: str, narrowed: Narrowed, after: After | None, limit: int
) -> list[Inspected]:
    """The next `limit` pictures behind `after`, newest first; without it, the newest.

    Args:
        product: that is set up; what was handed over to set it up is not among them.
    """
    query = _select(product).where(*_narrow(narrowed)).limit(limit)
    c = _INSPECTIONS.c
    if narrowed == Narrowed(since=narrowed.since):  # ids are in order of time
        query = query.order_by(c.id.desc())
        query = query if after is None else query.where(c.id < after.id)
    else:
        query = query.order_by(c.decided_at.desc(), c.id.desc())
        if after is not None:
            earlier = or_(c.decided_at < after.decided_at, c.id < after.id)
            query = query.where(c.decided_at <= after.decided_at, earlier)
    with reading(engine) as connection:
        return [_inspected(row) for row in connection.execute(query)]


def of_ids(engine: Engine, product: str, ids: Sequence[UUID]) -> list[Inspected]:
    """Those of these pictures that can teach, in the order of their ids."""
    query = _select(product).where(_INSPECTIONS.c.id.in_(ids)).order_by(_INSPECTIONS.c.id)
    with reading(engine) as connection:
        return [_inspected(row) for row in connection.execute(query)]


def _select(product: str) -> Select[Any]:
    c, of_label = _INSPECTIONS.c, _LABELS.c
    label = (
        select(of_label.label)
        .where(of_label.inspection_id == c.id)
        .order_by(of_label.labelled_at.desc(), of_label.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("label")
    )
    own = and_(c.line == LINE, c.product == product)
    return select(
        *(c.id, c.product, c.line, c.camera, c.part, c.decided_at, c.verdict, c.defect_class),
        *(c.image_uri, c.image_sha256, label),
    ).where(
        *(c.product.is_not(None), c.image_uri.is_not(None), c.verdict.not_in(_LOST)),
        *(~own, ~is_challenge()),
    )


def _narrow(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    c = _INSPECTIONS.c
    named = ("line", "camera", "product")
    said = [(c[name], getattr(narrowed, name)) for name in named]
    conditions = [column == value for column, value in said if value is not None]
    if narrowed.since is not None:
        conditions.append(c.decided_at >= narrowed.since)
    if narrowed.until is not None:
        conditions.append(c.decided_at < narrowed.until)
    return conditions


def _inspected(row: Any) -> Inspected:
    values = row._asdict()
    return Inspected(**{**values, "label": None if row.label == TAKEN_BACK else row.label})
