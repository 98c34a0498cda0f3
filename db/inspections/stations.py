"""Lines and cameras: added when a worker first commits a picture of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select, update

from db import audit
from db.base import table_of
from db.session import reading
from db.tables import Camera, Line
from db.upsert import insert_into
from linewatch.errors import LineError

Station = tuple[str, str]  # line, camera

FIFO, NEWEST_FIRST = "fifo", "newest-first"
POLICIES = (FIFO, NEWEST_FIRST)
_MOST_REMEMBERED = 10_000
_known: WeakKeyDictionary[Engine, set[Station]] = WeakKeyDictionary()


def unknown_stations(engine: Engine, rows: Iterable[dict[str, Any]]) -> dict[Station, datetime]:
    """The stations in `rows` of inspections that this process has not seen committed yet."""
    known = _known.get(engine, set())
    found: dict[Station, datetime] = {}
    for row in rows:
        if row["line"] is not None and row["camera"] is not None:
            station = (row["line"], row["camera"])
            if station not in known:
                found.setdefault(station, row["decided_at"])
    return found


def register(connection: Connection, stations: dict[Station, datetime]) -> None:
    """Add them, in sorted order so that two workers never wait for each other in a circle."""
    if not stations:
        return
    lines = [{"code": code, "name": code} for code in sorted({line for line, _ in stations})]
    cameras = [
        {"line": line, "code": code, "first_seen_at": at}
        for (line, code), at in sorted(stations.items())
    ]
    for table, rows in ((table_of(Line), lines), (table_of(Camera), cameras)):
        connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)


def remember(engine: Engine, stations: Iterable[Station]) -> None:
    """Note that they are committed, to spare the next commit two statements."""
    known = _known.setdefault(engine, set())
    if len(known) < _MOST_REMEMBERED:
        known.update(stations)


@dataclass(frozen=True, slots=True)
class LineInfo:
    """A line and what is set for it. `takt_budget_s`: seconds from capture to verdict."""

    code: str
    name: str
    takt_budget_s: float | None
    policy: str
    cameras: tuple[str, ...]


def all_lines(engine: Engine) -> list[LineInfo]:
    """Every line with its cameras, by code."""
    with reading(engine) as connection:
        cameras: dict[str, list[str]] = {}
        for line, code in connection.execute(
            select(Camera.line, Camera.code).order_by(Camera.line, Camera.code)
        ):
            cameras.setdefault(line, []).append(code)
        query = select(Line.code, Line.name, Line.takt_budget_s, Line.policy).order_by(Line.code)
        return [
            LineInfo(*row, cameras=tuple(cameras.get(row.code, ())))
            for row in connection.execute(query)
        ]


def configured_lines(engine: Engine) -> list[LineInfo]:
    """The lines for which something is set, by code, without their cameras.

    However many lines messages name, these are what people set.
    """
    c = table_of(Line).c
    query = select(c.code, c.name, c.takt_budget_s, c.policy).order_by(c.code)
    query = query.where(c.takt_budget_s.is_not(None) | (c.policy != FIFO))
    with reading(engine) as connection:
        return [LineInfo(*row, cameras=()) for row in connection.execute(query)]


class LineChange(TypedDict, total=False):
    """What to set for a line; what is absent stays. `takt_budget_s` None: no alarm."""

    takt_budget_s: float | None
    policy: str


def set_line(connection: Connection, code: str, change: LineChange, *, by: str) -> LineChange:
    """Set a line's takt budget, policy or both, in one statement; audited.

    Returns:
        All that is set for it now.

    Raises:
        LineError: no picture of this line was ever committed, or there is no such policy.
    """
    policy = change.get("policy", FIFO)
    if policy not in POLICIES:
        raise LineError(f"no policy is called {policy!r}; choose from {', '.join(POLICIES)}")
    statement = update(Line).where(Line.code == code).values(dict(change))
    statement = statement.returning(Line.takt_budget_s, Line.policy)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise LineError(f"no line is called {code!r}; a line appears with its first picture")
    audit.append(connection, by, "line.set", code, change)
    return LineChange(takt_budget_s=row.takt_budget_s, policy=row.policy)
