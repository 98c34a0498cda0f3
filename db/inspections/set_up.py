"""Pictures that people handed over to set a product up, and what they say of them.

They come by a line of their own, so that they count in no other line's figures; the lot says the
class. Those of the product that were inspected before are labelled where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, exists, func, select

from db.base import table_of
from db.session import reading
from db.tables import Inspection, Label, LabelledPicture

LINE = CAMERA = SOURCE = "setup"
MOST = 2000
_CLASS = "class "
_INSPECTIONS, _LABELS = table_of(Inspection), table_of(Label)
_LABELLED = table_of(LabelledPicture)


@dataclass(frozen=True, slots=True)
class SetUpPicture:
    """A picture that a worker has looked at.

    Attributes:
        id: the inspection's.
        label: the class that whoever handed it over said; None: none.
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
    """The newest `MOST` pictures of a product that were handed over, newest first."""
    c = _INSPECTIONS.c
    labelled = exists().where(_LABELS.c.inspection_id == c.id)
    query = (
        select(c.id, c.lot, c.verdict, labelled)
        .where(*_handed_over(product))
        .order_by(c.decided_at.desc(), c.id.desc())
        .limit(MOST)
    )
    with reading(engine) as connection:
        return [
            SetUpPicture(
                id_, lot[len(_CLASS) :] if lot and lot.startswith(_CLASS) else None, verdict, known
            )
            for id_, lot, verdict, known in connection.execute(query)
        ]


def labelled_by_class(engine: Engine, product: str) -> dict[str, int]:
    """How many pictures of a product have which label, wherever they came from."""
    c = _LABELLED.c
    query = select(c.label, func.count()).where(c.product == product).group_by(c.label)
    with reading(engine) as connection:
        return dict(connection.execute(query).all())


def files(engine: Engine, product: str) -> set[str]:
    """SHA-256 of the pictures of a product that were handed over and looked at by a worker."""
    sha256 = _INSPECTIONS.c.image_sha256
    query = select(sha256).where(*_handed_over(product), sha256.is_not(None)).distinct()
    with reading(engine) as connection:
        return set(connection.execute(query).scalars())


def _handed_over(product: str) -> tuple[ColumnElement[bool], ...]:
    c = _INSPECTIONS.c
    return c.line == LINE, c.camera == CAMERA, c.product == product
