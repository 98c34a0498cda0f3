"""Workers that answered the notifier, and when they did so last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import WorkerSighting
from db.upsert import insert_into

_TABLE = table_of(WorkerSighting)


def sighted(connection: Connection, devices: Mapping[str, str]) -> None:
    """Note that these inspect workers answered now; `devices`: name to what it computes on."""
    if not devices:
        return
    now = database_now(connection)
    statement = insert_into(connection, _TABLE)
    rows = [{"name": n, "device": d, "seen_at": now} for n, d in sorted(devices.items())]
    again = {name: statement.excluded[name] for name in ("device", "seen_at")}
    connection.execute(
        statement.values(rows).on_conflict_do_update(index_elements=[_TABLE.c.name], set_=again)
    )


def sightings(engine: Engine) -> dict[str, datetime]:
    """When each known worker answered last, by name."""
    with reading(engine) as connection:
        return seen(connection)


def seen(connection: Connection) -> dict[str, datetime]:
    """The same in a transaction."""
    query = select(_TABLE.c.name, _TABLE.c.seen_at).order_by(_TABLE.c.name)
    return {row.name: row.seen_at for row in connection.execute(query)}


def forget(connection: Connection, before: datetime) -> None:
    """Forget workers that were taken down: who answered last before then."""
    connection.execute(delete(_TABLE).where(_TABLE.c.seen_at < before))
