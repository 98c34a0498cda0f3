"""Inspections page by page, newest first, each page found by an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Engine, Select, or_, select

from db.base import table_of
from db.inspections.inspections import record_of
from db.inspections.records import InspectionRecord
from db.session import reading
from db.tables import Inspection

_TABLE = table_of(Inspection)


@dataclass(frozen=True, slots=True)
class After:
    """The last inspection of a page; the next page begins behind it."""

    decided_at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.decided_at.isoformat()} {self.id}"

    @classmethod
    def read(cls, text: str) -> After:
        """From its `str`.

        Raises:
            ValueError: it is none, or of a time that no UTC clock can show.
        """
        at, _, id_ = text.partition(" ")
        try:
            return cls(datetime.fromisoformat(at).astimezone(UTC), UUID(id_))
        except OverflowError as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Which:
    """Of which station or product; no product and no station: all.

    Attributes:
        line, camera: both or neither.
        product: instead of them.
    """

    line: str | None = None
    camera: str | None = None
    product: str | None = None


def one(engine: Engine, id_: UUID) -> InspectionRecord | None:
    """An inspection; None where there is none of this id (yet, or any more)."""
    with reading(engine) as connection:
        row = connection.execute(select(_TABLE).where(_TABLE.c.id == id_)).one_or_none()
    return None if row is None else record_of(row._asdict())


def page(engine: Engine, which: Which, after: After | None, limit: int) -> list[InspectionRecord]:
    """The next `limit` inspections behind `after`; without it, the newest."""
    with reading(engine) as connection:
        rows = connection.execute(_query(which, after).limit(limit))
        return [record_of(row._asdict()) for row in rows]


def _query(which: Which, after: After | None) -> Select[tuple[object, ...]]:
    c = _TABLE.c
    query = select(_TABLE)
    if which.line is None and which.product is None:  # ids are in order of time
        query = query.order_by(c.id.desc())
        return query if after is None else query.where(c.id < after.id)
    if which.line is not None:
        query = query.where(c.line == which.line, c.camera == which.camera)
    else:
        query = query.where(c.product == which.product)
    if after is not None:
        query = query.where(
            c.decided_at <= after.decided_at,
            or_(c.decided_at < after.decided_at, c.id < after.id),
        )
    return query.order_by(c.decided_at.desc(), c.id.desc())
