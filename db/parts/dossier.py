"""All that is known of a serial number, or of a picture without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, select

from db.base import table_of
from db.storable_text import SERIAL, storable
from db.tables import (
    AuditAnswer,
    Feature,
    GoldenItem,
    Inspection,
    InspectionScore,
    Label,
    Part,
    PartDecision,
    PurgedView,
    Requeue,
)

_P, _I, _V = table_of(Part).c, table_of(Inspection).c, table_of(PurgedView).c
_D, _L, _A = table_of(PartDecision).c, table_of(Label).c, table_of(AuditAnswer).c
_MOST = 500  # pictures: a serial number that is no serial number may have any number of them


@dataclass(frozen=True, slots=True)
class Dossier:
    """Rows as the tables have them, each list in order of time.

    Attributes:
        passes: rows of `parts`.
        pictures: rows of `inspections`, at most 500, the newest.
        purged: rows of `purged_views`: what is kept of pictures that are gone.
        decisions: on any pass.
        labels: on the pictures.
        golden: the golden sets that hold one of the pictures, by picture.
        shadows: rows of `inspection_scores`: what shadows would have said.
        features: how many pictures' features are stored.
        requeued: pictures that may replace their row, by id.
    """

    passes: Sequence[Any]
    pictures: Sequence[Any]
    purged: Sequence[Any]
    decisions: Sequence[Any]
    labels: Sequence[Any]
    golden: Sequence[Any]
    shadows: Sequence[Any]
    features: int
    requeued: frozenset[UUID]

    @property
    def known(self) -> bool:
        """Whether there is anything."""
        return bool(self.passes or self.pictures or self.purged)


def dossier(connection: Connection, product: str, part: str) -> Dossier:
    """All of a product's part.

    Args:
        connection: reads.
        product: its code; '' for messages that could not be read.
        part: its serial number, or the id of a picture that has none.
    """
    serial, alone = str(storable(part, SERIAL)), _as_uuid(part)
    named = [_I.part == serial, func.coalesce(_I.product, "") == product]
    pictures = connection.execute(_pictures().where(*named)).all()
    scope = None
    if not pictures and alone is not None:
        pictures = connection.execute(_pictures().where(_I.id == alone)).all()
        pictures = [one for one in pictures if not one.part and (one.product or "") == product]
        scope = str(alone) if pictures else None
    ids = [one.id for one in pictures]
    return Dossier(
        passes=_passes(connection, product, serial, scope),
        pictures=pictures[::-1],
        purged=connection.execute(_purged(product, serial, ids)).all(),
        decisions=[] if scope else connection.execute(_decisions(product, serial)).all(),
        labels=connection.execute(
            select(*_L).where(_L.inspection_id.in_(ids)).order_by(_L.labelled_at, _L.id)
        ).all(),
        golden=connection.execute(_golden(ids)).all(),
        shadows=connection.execute(_shadows(ids)).all(),
        features=_features(connection, ids),
        requeued=_requeued(connection, ids),
    )


def _pictures() -> Any:
    at = func.coalesce(_I.made_at, _I.captured_at, _I.decided_at)
    return select(*_I).order_by(at.desc(), _I.id.desc()).limit(_MOST)


def _passes(connection: Connection, product: str, serial: str, scope: str | None) -> Sequence[Any]:
    query = select(*_P).where(_P.product == product, _P.counted)
    if scope is None:
        query = query.where(_P.serial == serial, _P.serial != "")
    else:
        query = query.where(_P.serial == "", _P.scope == scope)
    return connection.execute(query.order_by(_P.made_at, _P.scope, _P.pass_number)).all()


def _purged(product: str, serial: str, there: Sequence[UUID]) -> Any:
    query = select(*_V).where(_V.product == product, _V.part == serial, _V.id.not_in(there))
    return query.order_by(_V.made_at, _V.id).limit(_MOST)


def _decisions(product: str, serial: str) -> Any:
    query = select(*_D).where(_D.product == product, _D.part == serial)
    return query.order_by(_D.decided_at, _D.id)


def _golden(ids: Sequence[UUID]) -> Any:
    g = table_of(GoldenItem).c
    query = select(g.inspection_id, g.set_name, g.label, g.added_by, g.added_at)
    return query.where(g.inspection_id.in_(ids)).order_by(g.added_at, g.set_name)


def _shadows(ids: Sequence[UUID]) -> Any:
    s = table_of(InspectionScore).c
    query = select(s.inspection_id, s.model_version, s.verdict, s.reason)
    return query.where(s.inspection_id.in_(ids), s.verdict.is_not(None)).order_by(s.model_version)


def _features(connection: Connection, ids: Sequence[UUID]) -> int:
    f = table_of(Feature).c
    query = select(func.count(func.distinct(f.inspection_id))).where(f.inspection_id.in_(ids))
    return int(connection.scalar(query) or 0)


def _requeued(connection: Connection, ids: Sequence[UUID]) -> frozenset[UUID]:
    r = table_of(Requeue).c
    return frozenset(connection.scalars(select(r.image_id).where(r.image_id.in_(ids))))


def answered(connection: Connection, product: str, serial: str) -> bool:
    """Whether a person answered it for the audit sample."""
    mine = select(_A.id).where(_A.product == product, _A.serial == serial)
    return bool(connection.scalar(select(exists(mine))))


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
