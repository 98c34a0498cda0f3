"""Receivers as people are shown them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from db.clock import database_now
from db.outbox.cursors import CLOCK, Cursor, State, cursors, state
from db.session import reading
from linewatch.csv_cell import Cell
from outputs.file import OutputsFile

STRAY = "not in the file"
_NOBODY, _NEVER = "nobody tells it", "never ran"
UNTOLD = (_NOBODY, _NEVER)
_FIGURES = ("gate_p50_ms", "gate_p99_ms", "late_share", "clock_ahead_ms", "overruns")
COLUMNS = ("receiver", "kind", "state", "backlog", *_FIGURES, "away_s", "problem")


def receivers_shown(engine: Engine, file: OutputsFile | None) -> list[dict[str, Cell]]:
    """A row a receiver. Those of the file come even if nobody ever ran it."""
    with reading(engine) as connection:
        now = database_now(connection)
        known = [(one, last) for one, last in cursors(connection) if one.receiver != CLOCK]
    kinds = {
        (name, receiver.name): receiver.kind
        for name, line in (file.lines if file else {}).items()
        for receiver in line.receivers
    }
    rows = []
    for cursor, last in known:
        kind = kinds.pop((cursor.line, cursor.receiver), STRAY if file else "")
        away_s = None if cursor.away_since is None else (now - cursor.away_since).total_seconds()
        figures = cursor.figures or {}
        rows.append(
            {
                "receiver": f"{cursor.line}/{cursor.receiver}",
                "kind": kind,
                "state": _state(cursor, now),
                "backlog": last - cursor.told,
                **{name: figures.get(name) for name in _FIGURES},
                "away_s": None if away_s is None else round(away_s),
                "problem": cursor.problem or "",
            }
        )
    empty: dict[str, Cell] = dict.fromkeys(("backlog", *_FIGURES, "away_s"))
    rows += [
        {"receiver": f"{line}/{name}", "kind": kind, "state": _NEVER, **empty, "problem": ""}
        for (line, name), kind in sorted(kinds.items())
    ]
    return rows


def _state(cursor: Cursor, now: datetime) -> str:
    found = state(cursor, now)
    if found is State.PAUSED:
        return f"paused by {cursor.paused_by}"
    return _NOBODY if found is State.NOBODY else str(found)
