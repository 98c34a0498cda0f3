"""Takt: how long after its capture a line's verdicts fell."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import Camera, Inspection

_INSPECTIONS = table_of(Inspection)
_CAMERAS = table_of(Camera)
_MOST = 10_000  # rows of a camera that are looked at


def worst_latency_s(engine: Engine, line: str, *, within_s: float) -> float | None:
    """The longest time from capture to verdict among a line's last `within_s` seconds."""
    c = _INSPECTIONS.c
    worst: float | None = None
    with reading(engine) as connection:
        since = database_now(connection) - timedelta(seconds=within_s)
        cameras = select(_CAMERAS.c.code).where(_CAMERAS.c.line == line)
        # By camera, since that is the index's second column: the line alone reads all it ever made.
        for camera in connection.execute(cameras).scalars().all():
            query = select(c.captured_at, c.decided_at).where(
                c.line == line,
                c.camera == camera,
                c.decided_at >= since,
                c.captured_at.is_not(None),
            )
            for captured_at, decided_at in connection.execute(query.limit(_MOST)):
                latency = (decided_at - captured_at).total_seconds()
                worst = latency if worst is None else max(worst, latency)
    return worst
