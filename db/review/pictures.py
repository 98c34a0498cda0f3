"""The pictures of parts that people look at, and what a model said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from db.base import table_of
from db.challenges.pictures import is_challenge
from db.review.waiting import Waiting
from db.tables import Feature, Inspection
from quality.audit.draw import PassName

_I, _F = table_of(Inspection).c, table_of(Feature).c
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture of a part, as it was judged.

    Attributes:
        stored: whether it is on record where its file lies; else it was purged.
        defect_class: the model's first choice, whatever the verdict.
    """

    id: UUID
    camera: str
    stored: bool
    made_at: datetime
    verdict: str
    reason: str
    defect_class: str | None
    confidence: float | None
    model_version: str | None


def pictures_of(
    connection: Connection, parts: Sequence[Waiting]
) -> dict[PassName, tuple[Seen, ...]]:
    """The pictures of each part, in the order in which they were taken."""
    found: dict[PassName, tuple[Seen, ...]] = {}
    for start in range(0, len(parts), _CHUNK):
        chunk = parts[start : start + _CHUNK]
        rows = _rows(connection, chunk)
        for part in chunk:
            name = part.name
            mine = rows.get((name.product, name.serial or name.scope), [])
            found[name] = tuple(_seen(row) for row in mine if _within(part, row.at))
    return found


def _rows(connection: Connection, parts: Sequence[Waiting]) -> dict[tuple[str, str], list[Any]]:
    serials = [one.name.serial for one in parts if one.name.serial]
    alone = [UUID(one.name.scope) for one in parts if not one.name.serial]
    at = func.coalesce(_I.made_at, _I.captured_at, _I.decided_at, type_=_I.decided_at.type)
    query = select(
        *(_I.id, _I.product, _I.part, _I.camera, _I.image_uri, at.label("at"), _I.verdict),
        *(_I.reason, _I.defect_class, _I.confidence, _I.model_version),
    ).where(or_(_I.part.in_(serials), _I.id.in_(alone)), ~is_challenge())
    found: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute(query.order_by(at, _I.id)):
        found.setdefault((row.product or "", row.part or str(row.id)), []).append(row)
    return found


def _within(part: Waiting, at: datetime) -> bool:
    if not part.name.serial or part.made_at is None or part.last_at is None:
        return True
    return part.made_at <= at <= part.last_at


def _seen(row: Any) -> Seen:
    return Seen(
        id=row.id,
        camera=row.camera or "",
        stored=row.image_uri is not None,
        made_at=row.at,
        verdict=row.verdict,
        reason=row.reason or "",
        defect_class=row.defect_class,
        confidence=row.confidence,
        model_version=row.model_version,
    )


def vectors_of(
    connection: Connection, pictures: Sequence[UUID], fingerprint: str | None
) -> dict[UUID, bytes]:
    """Stored features (float16, little endian) of pictures under one fingerprint."""
    found: dict[UUID, bytes] = {}
    if fingerprint is None:
        return found
    for start in range(0, len(pictures), _CHUNK):
        chunk = pictures[start : start + _CHUNK]
        query = select(_F.inspection_id, _F.vector).where(
            _F.inspection_id.in_(chunk), _F.fingerprint == fingerprint
        )
        found.update((row.inspection_id, row.vector) for row in connection.execute(query))
    return found
