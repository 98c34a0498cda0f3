"""How a database would answer what a call asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event


def plans_of(engine: Engine, call: Callable[[], Any]) -> list[str]:
    """The plan of each SELECT that `call` sends, as text, tables being too small to be scanned.

    On PostgreSQL sequential scans are switched off, as they would be ruled out in a large table.
    """
    asked: list[tuple[str, Any]] = []

    def note(
        _c: Connection, _cursor: object, statement: str, parameters: Any, _x: object, _m: bool
    ) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    sqlite = engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    with engine.connect() as connection:
        if not sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return [
            "\n".join(
                str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {sql}", values)
            )
            for sql, values in asked
        ]
