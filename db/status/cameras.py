"""Each camera's last pictures, and how those of the last hours ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Integer, Row, func, literal, select, union_all

from db.base import table_of
from db.tables import Camera, Inspection, InspectionHourly

MOST = 200  # cameras that are looked at; messages may name any number
LAST = 4  # pictures of each
_AT_ONCE = 50  # cameras in a statement: SQLite joins no more than 500 parts
_INSPECTIONS, _CAMERAS, _HOURS = table_of(Inspection), table_of(Camera), table_of(InspectionHourly)
Station = tuple[str, str]  # line, camera


@dataclass(frozen=True, slots=True)
class LastPicture:
    """A picture and its verdict; all but id and times may be missing where it was not judged."""

    id: UUID
    part: str | None
    product: str | None
    verdict: str
    defect_class: str | None
    confidence: float | None
    model_version: str | None
    worker: str | None
    decided_at: datetime


_NAMES = [field.name for field in fields(LastPicture)]


def stations(connection: Connection) -> list[Station]:
    """The first `MOST` cameras, by line and code."""
    c = _CAMERAS.c
    query = select(c.line, c.code).order_by(c.line, c.code).limit(MOST)
    return [(row.line, row.code) for row in connection.execute(query)]


def last_pictures(
    connection: Connection, wanted: Sequence[Station], each: int = LAST
) -> dict[Station, tuple[LastPicture, ...]]:
    """The newest pictures of each camera, newest first; each from the end of one index."""
    found: defaultdict[int, list[LastPicture]] = defaultdict(list)
    for start in range(0, len(wanted), _AT_ONCE):
        for row in _newest(
            connection, wanted, range(start, min(start + _AT_ONCE, len(wanted))), each
        ):
            found[row.place].append(LastPicture(*(row._mapping[name] for name in _NAMES)))
    newest_first = {
        place: tuple(sorted(pictures, key=lambda one: one.decided_at, reverse=True))
        for place, pictures in found.items()
    }
    return {station: newest_first.get(place, ()) for place, station in enumerate(wanted)}


def _newest(
    connection: Connection, wanted: Sequence[Station], places: range, each: int
) -> Sequence[Row[tuple[object, ...]]]:
    c = _INSPECTIONS.c
    parts = []
    for place in places:
        line, camera = wanted[place]
        one = (
            select(literal(place, Integer).label("place"), *(c[name] for name in _NAMES))
            .where(c.line == line, c.camera == camera)
            .order_by(c.decided_at.desc())
            .limit(each)
            .subquery()
        )
        parts.append(select(one))
    return connection.execute(union_all(*parts)).all() if parts else []


def by_verdict(connection: Connection, now: datetime) -> dict[Station, dict[str, int]]:
    """How the pictures of this hour and the one before ended, by camera."""
    c = _HOURS.c
    query = select(c.line, c.camera, c.verdict, func.sum(c.count))
    query = query.where(c.hour > now - timedelta(hours=2))
    found: defaultdict[Station, dict[str, int]] = defaultdict(dict)
    for line, camera, verdict, count in connection.execute(
        query.group_by(c.line, c.camera, c.verdict)
    ):
        found[line, camera][verdict] = int(count)
    return dict(found)
