"""The label that holds for each picture: the latest, and none where that takes others back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Subquery, func, select

from db.base import table_of
from db.labels.vocabulary import TAKEN_BACK
from db.tables import Label

_L = table_of(Label).c


def latest_labels(product: str | None = None, *, until: datetime | None = None) -> Subquery:
    """`inspection_id, product, label, recorded_at` of each labelled picture's latest label.

    Args:
        product: whose; None: every one's.
        until: of those recorded until then.
    """
    order = (_L.labelled_at.desc(), _L.id.desc())
    rank = func.row_number().over(partition_by=_L.inspection_id, order_by=order)
    names = (_L.inspection_id, _L.product, _L.label, _L.recorded_at)
    query = select(*names, rank.label("rank"))
    if product is not None:
        query = query.where(_L.product == product)
    if until is not None:
        query = query.where(_L.recorded_at <= until)
    ranked = query.subquery()
    kept = (ranked.c[column.name] for column in names)
    holds = ranked.c.label != TAKEN_BACK
    return select(*kept).where(ranked.c.rank == 1, holds).subquery("latest")
