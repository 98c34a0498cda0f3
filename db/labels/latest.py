"""The label that holds for each picture: the latest, and none where that takes others back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, exists, func, select, tuple_

from db.base import table_of
from db.labels.vocabulary import TAKEN_BACK
from db.tables import Label

_L = table_of(Label).c
_LATER = table_of(Label).alias("later").c


def latest_labels(
    product: str | None = None, *, since: datetime | None = None, until: datetime | None = None
) -> Subquery:
    """`inspection_id, product, label, recorded_at` of each labelled picture's latest label.

    Args:
        product: whose; None: every one's.
        since: of those recorded from then on, which all are of a picture that came later.
        until: of those recorded until then.
    """
    order = (_L.labelled_at.desc(), _L.id.desc())
    rank = func.row_number().over(partition_by=_L.inspection_id, order_by=order)
    names = (_L.inspection_id, _L.product, _L.label, _L.recorded_at)
    query = select(*names, rank.label("rank"))
    if product is not None:
        query = query.where(_L.product == product)
    if since is not None:
        query = query.where(_L.recorded_at >= since)
    if until is not None:
        query = query.where(_L.recorded_at <= until)
    ranked = query.subquery()
    kept = (ranked.c[column.name] for column in names)
    holds = ranked.c.label != TAKEN_BACK
    return select(*kept).where(ranked.c.rank == 1, holds).subquery("latest")


def is_latest() -> ColumnElement[bool]:
    """Whether a row of labels is its picture's latest; to count them all it is the faster way."""
    after = tuple_(_LATER.labelled_at, _LATER.id) > tuple_(_L.labelled_at, _L.id)
    later = exists(select(_LATER.id).where(_LATER.inspection_id == _L.inspection_id, after))
    return ~later & (_L.label != TAKEN_BACK)
