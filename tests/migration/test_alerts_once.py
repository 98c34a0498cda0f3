"""Alerts that two workers raised at one moment become one that stands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from db import alerts, migrate
from db.session import engine_for, transaction
from tests.support.committed import committed

BEFORE = "0038"


def test_of_open_alerts_in_the_same_words_one_stays(database_url: str) -> None:
    migrate.downgrade(database_url, BEFORE)
    engine = engine_for(database_url)
    rows: list[dict[str, Any]] = [
        {"id": 1, "line": None, "seen": "2026-01-01 10:00", "known": None, "over": None},
        {"id": 2, "line": None, "seen": "2026-01-01 11:00", "known": None, "over": None},
        {"id": 3, "line": "L1", "seen": "2026-01-01 11:00", "known": None, "over": None},
        {"id": 4, "line": "L1", "seen": None, "known": "2026-01-01 10:30", "over": None},
        {"id": 5, "line": "L1", "seen": None, "known": None, "over": "2026-01-01 10:30"},
    ]
    statement = text(
        "INSERT INTO alerts (id, raised_at, kind, severity, line, message, seen_at,"
        " acknowledged_at, resolved_at)"
        " VALUES (:id, '2026-01-01 09:00', 'model_refused', 'critical', :line, 'm',"
        " :seen, :known, :over)"
    )
    with transaction(engine) as connection:
        for row in rows:
            connection.execute(statement, row)
    migrate.upgrade(database_url)
    standing = alerts.open_alerts(engine)
    assert [one.id for one in standing] == [4, 2]
    again = {"kind": "model_refused", "severity": "critical", "message": "m"}
    assert committed(engine, alerts.raise_alert, line="L1", **again) == 4
    assert committed(engine, alerts.raise_alert, **again) == 2
