"""Past inspections with their stored features, to judge them again without a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, and_, select

from db.base import table_of
from db.session import reading
from db.tables import Feature, Inspection

PAGE = 1000
_C = table_of(Inspection).c
_F = table_of(Feature)


@dataclass(frozen=True, slots=True)
class Judged:
    """How a picture was judged; `vector` (float16, little endian) is None where none is stored."""

    id: UUID
    part: str | None
    product: str | None
    decided_at: datetime
    verdict: str
    defect_class: str | None
    confidence: float | None
    model_version: str | None
    vector: bytes | None


def judged(
    engine: Engine,
    product: str,
    fingerprint: str,
    *,
    part: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[list[Judged]]:
    """A product's judged pictures, oldest first, in pages; of a part, of a time, or both."""
    of_print = and_(_F.c.inspection_id == _C.id, _F.c.fingerprint == fingerprint)
    where = [_C.product == product, _C.verdict.in_(("pass", "defect", "review"))]
    where += [_C.part == part] if part is not None else []
    where += [_C.decided_at >= since] if since is not None else []
    where += [_C.decided_at < until] if until is not None else []
    query = (
        select(
            *(_C.id, _C.part, _C.product, _C.decided_at, _C.verdict, _C.defect_class),
            *(_C.confidence, _C.model_version, _F.c.vector),
        )
        .outerjoin(_F, of_print)
        .where(*where)
        .order_by(_C.decided_at, _C.id)
    )
    last: Judged | None = None
    while True:
        page = query.limit(PAGE)
        if last is not None:
            later = (_C.decided_at > last.decided_at) | (
                (_C.decided_at == last.decided_at) & (_C.id > last.id)
            )
            page = page.where(later)
        with reading(engine) as connection:
            rows = [Judged(*row) for row in connection.execute(page)]
        if rows:
            yield rows
            last = rows[-1]
        if len(rows) < PAGE:
            return


def products_of_part(engine: Engine, part: str) -> list[str]:
    """The products under which a part was inspected."""
    query = select(_C.product).where(_C.part == part, _C.product.is_not(None)).distinct()
    with reading(engine) as connection:
        return sorted(connection.execute(query).scalars())
