"""Each camera's last pictures, and how those of the last hours ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, true

from db.base import table_of
from db.tables import Camera, Inspection, InspectionHourly

MOST = 200  # cameras that are looked at; messages may name any number
LAST = 4  # pictures of each
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


def _newest(line: ColumnElement[str], camera: ColumnElement[str]) -> Select[Any]:
    c = _INSPECTIONS.c
    query = select(*(c[field.name] for field in fields(LastPicture)))
    query = query.where(c.line == line, c.camera == camera)
    return query.order_by(c.decided_at.desc()).limit(bindparam("each"))


def _of_all() -> Select[Any]:
    c = _CAMERAS.c
    first = select(c.line, c.code).order_by(c.line, c.code).limit(bindparam("most")).subquery()
    pictures = _newest(first.c.line, first.c.code).lateral()
    query = select(first.c.line, first.c.code, *pictures.c)
    query = query.select_from(first.join(pictures, true()))
    return query.order_by(first.c.line, first.c.code, pictures.c.decided_at.desc())


_NEWEST = _newest(bindparam("line"), bindparam("code"))
_OF_ALL = _of_all()


def stations(connection: Connection) -> list[Station]:
    """The first `MOST` cameras, by line and code."""
    c = _CAMERAS.c
    query = select(c.line, c.code).order_by(c.line, c.code).limit(MOST)
    return [(row.line, row.code) for row in connection.execute(query)]


def last_pictures(
    connection: Connection, wanted: Sequence[Station], each: int = LAST
) -> dict[Station, tuple[LastPicture, ...]]:
    """The newest pictures of each camera, newest first; each from the end of one index."""
    found: dict[Station, tuple[LastPicture, ...]] = dict.fromkeys(wanted, ())
    if connection.dialect.name == "postgresql":  # in one round trip
        rows = connection.execute(_OF_ALL, {"each": each, "most": MOST})
        for line, camera, *picture in rows:
            found[line, camera] = (*found.get((line, camera), ()), LastPicture(*picture))
        return found
    for line, camera in wanted:
        rows = connection.execute(_NEWEST, {"line": line, "code": camera, "each": each})
        found[line, camera] = tuple(LastPicture(*row) for row in rows)
    return found


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
