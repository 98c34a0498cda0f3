"""What one process at a time does, wherever it runs: who holds the lease does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, or_, select, update

from db.base import table_of
from db.clock import database_now
from db.session import reading, transaction
from db.tables import Lease
from db.upsert import insert_into

_TABLE = table_of(Lease)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, and until when unless they renew it."""

    name: str
    until: datetime
    alive: bool


def take(engine: Engine, name: str, holder: str, lasts: timedelta) -> bool:
    """Take a free lease, or renew one's own; whether one holds it now."""
    with transaction(engine) as connection:
        return held(connection, name, holder, lasts)


def held(connection: Connection, name: str, holder: str, lasts: timedelta) -> bool:
    """The same in a transaction: until it ends, nobody else gets the lease."""
    c, now = _TABLE.c, database_now(connection)
    until = now + lasts
    mine_or_free = or_(c.holder == holder, c.until <= now)
    change = update(_TABLE).where(c.name == name, mine_or_free).values(holder=holder, until=until)
    if connection.execute(change).rowcount:
        return True
    statement = insert_into(connection, _TABLE).values(name=name, holder=holder, until=until)
    made = statement.on_conflict_do_nothing().returning(c.name)
    return connection.execute(made).first() is not None


def give_up(engine: Engine, name: str, holder: str) -> None:
    """Let somebody else have it at once."""
    c = _TABLE.c
    with transaction(engine) as connection:
        ended = update(_TABLE).where(c.name == name, c.holder == holder)
        connection.execute(ended.values(until=database_now(connection)))


def holder(engine: Engine, name: str) -> Holder | None:
    """Who had it last; None: nobody ever."""
    c = _TABLE.c
    with reading(engine) as connection:
        now = database_now(connection)
        row = connection.execute(select(c.holder, c.until).where(c.name == name)).one_or_none()
    return None if row is None else Holder(row.holder, row.until, row.until > now)
