"""Pictures that people handed over or picked to set a product up, and what they say of them.

Those handed over come by a line of their own, so that they count in no other line's figures; the
lot says the class. Those of the product that were inspected before are labelled where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, exists, select

from db.base import table_of
from db.labels.latest import is_latest
from db.session import reading
from db.tables import Inspection, Label

LINE = CAMERA = SOURCE = "setup"
MOST = 2000
_CLASS = "class "
_INSPECTIONS, _LABELS = table_of(Inspection), table_of(Label)


@dataclass(frozen=True, slots=True)
class SetUpPicture:
    """A picture that a worker has looked at.

    Attributes:
        id: the inspection's.
        label: the class that whoever handed it over said, or the label that holds of a picked one;
            None: none.
        verdict: how it ended; a rejected one teaches nothing.
        labelled: whether anybody has labelled it.
    """

    id: UUID
    label: str | None
    verdict: str
    labelled: bool


def lot_of(label: str) -> str:
    """The lot of pictures of a class."""
    return f"{_CLASS}{label}"


def pictures(engine: Engine, product: str) -> list[SetUpPicture]:
    """The newest `MOST` pictures of a product that were handed over, then so many picked ones."""
    c = _INSPECTIONS.c
    labelled = exists().where(_LABELS.c.inspection_id == c.id)
    handed = (
        select(c.id, c.lot, c.verdict, labelled)
        .where(*_handed_over(product))
        .order_by(c.decided_at.desc(), c.id.desc())
        .limit(MOST)
    )
    with reading(engine) as connection:
        found = [
            SetUpPicture(
                id_, lot[len(_CLASS) :] if lot and lot.startswith(_CLASS) else None, verdict, known
            )
            for id_, lot, verdict, known in connection.execute(handed)
        ]
        picked = connection.execute(_picked(product)).all()
    return found + [SetUpPicture(row.id, row.label, row.verdict, labelled=True) for row in picked]


def files(engine: Engine, product: str) -> set[str]:
    """SHA-256 of the pictures of a product that were handed over and looked at by a worker."""
    sha256 = _INSPECTIONS.c.image_sha256
    query = select(sha256).where(*_handed_over(product), sha256.is_not(None)).distinct()
    with reading(engine) as connection:
        return set(connection.execute(query).scalars())


def _handed_over(product: str) -> tuple[ColumnElement[bool], ...]:
    c = _INSPECTIONS.c
    return c.line == LINE, c.camera == CAMERA, c.product == product


def _picked(product: str) -> Select[tuple[UUID, str, str]]:
    """`id, label, verdict` of pictures of other lines that a set-up labelled, newest first."""
    c, said, earlier = _INSPECTIONS.c, _LABELS.c, _LABELS.alias("earlier").c
    by_set_up = select(earlier.inspection_id).where(
        earlier.product == product, earlier.source == SOURCE
    )
    return (
        select(c.id, said.label, c.verdict)
        .join(_LABELS, said.inspection_id == c.id)
        .where(c.id.in_(by_set_up), is_latest(), c.line != LINE)
        .order_by(c.decided_at.desc(), c.id.desc())
        .limit(MOST)
    )
