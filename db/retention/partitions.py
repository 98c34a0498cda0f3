"""PostgreSQL: inspections, scores and features in one partition a month, so that old ones just go.

UUIDv7 ids carry their time, so the partition key is the id and the primary key stays what it was.
Ids that carry no time (UUIDv4) and times far off lie in the default partition, where purges delete
row by row. `labels` and `golden_items` keep their foreign keys: the database itself refuses to
drop a month in which something is labelled. Scores and features have none while partitioned (each
drop would read all that is left); they are written and purged together with their inspection.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, select, text

from db.base import table_of
from db.parts.purged import keep_views
from db.retention.months import Month, months
from db.retention.partition_ddl import TABLES, rebuild, without_foreign_keys
from db.session import reading, transaction
from db.tables import GoldenItem, Inspection, Label, UnlikeMap
from linewatch.errors import DatabaseError

MOST_ROWS = 1_000_000  # about half a minute, for which workers wait
_OLDEST_MONTHS = 240
# Functions, since only the tables' owner may do so, and maintenance is not the owner. Each waits
# for locks for 5 s at most.
_ADD_MONTH = text("SELECT linewatch_add_month(:month)")
_DROP_MONTH = text("SELECT linewatch_drop_month(:month)")
_ANALYSE = text("SELECT linewatch_analyse()")
_PARTITIONED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('inspections')")


def partitioned(engine: Engine) -> bool:
    """Whether this database keeps inspections by month."""
    if engine.dialect.name != "postgresql":
        return False
    with reading(engine) as connection:
        return bool(connection.scalar(_PARTITIONED))


def convert(connection: Connection, *, months_ahead: int, most_rows: int = MOST_ROWS) -> int:
    """Turn plain tables into partitioned ones, all or nothing; returns how many rows moved.

    Workers wait until it is done.

    Raises:
        DatabaseError: not PostgreSQL, partitioned already, or more than `most_rows` inspections.
    """
    if connection.dialect.name != "postgresql":
        raise DatabaseError("only PostgreSQL has partitions; SQLite files need none")
    connection.execute(text(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE"))
    if connection.scalar(_PARTITIONED):  # asked under the lock: somebody may just have done it
        raise DatabaseError("inspections are partitioned by month already")
    rows = int(connection.scalar(select(func.count()).select_from(Inspection)) or 0)
    if rows > most_rows:
        raise DatabaseError(
            f"{rows} inspections are more than {most_rows}: workers would wait too long; "
            "purge first, or give --most-rows in a maintenance window"
        )
    wanted = list(_months(connection, months_ahead))
    with without_foreign_keys(connection):
        for table in TABLES:
            rebuild(connection, table, wanted)
    return rows


def analyse(engine: Engine) -> None:
    """Let the planner know what the months hold: after converting, and each night."""
    with transaction(engine) as connection:
        connection.execute(_ANALYSE)


def make_ahead(engine: Engine, months_ahead: int, now: datetime | None = None) -> list[Month]:
    """Make the partitions of this month and the next ones; returns those that are new.

    A month of which rows lie in the default partition already (a camera's clock is months ahead)
    stays there: moving rows that labels point to is not worth a lock.
    """
    made = []
    this = Month.of(now or datetime.now(UTC))
    for month in months(this, _later(this, months_ahead)):
        if month in existing(engine):
            continue
        with transaction(engine) as connection:
            if connection.scalar(_ADD_MONTH, {"month": month.begins.date()}):
                made.append(month)
    return made


def existing(engine: Engine) -> list[Month]:
    """The months that have a partition, oldest first."""
    query = text(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = to_regclass('inspections')"
    )
    if not partitioned(engine):
        return []
    with reading(engine) as connection:
        found = map(Month.of_partition, connection.execute(query).scalars())
        return sorted(month for month in found if month is not None)


def droppable(engine: Engine, before: datetime) -> list[Month]:
    """The months of which everything was decided before `before` and nothing is kept."""
    with reading(engine) as connection:
        return [
            month
            for month in existing(engine)
            if month.next.begins <= before and _forgettable(connection, month, before)
        ]


def drop(connection: Connection, month: Month, before: datetime) -> int | None:
    """Drop a month if it is still `droppable`; workers wait meanwhile.

    It is looked at again under the lock that dropping takes: a camera that was away for weeks may
    have brought a picture of that month since, or a dead letter of it may have been judged.

    Returns:
        About how many inspections it held; None: something of it is kept or young, so it stays.

    Raises:
        sqlalchemy.exc.DBAPIError: a lock was not had within 5 s.
    """
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    connection.execute(text("LOCK TABLE ONLY inspections IN ACCESS EXCLUSIVE MODE"))
    if not _forgettable(connection, month, before):
        return None
    keep_views(connection, _of(month))
    first, end = month.ids  # no partitions of their own: few pictures have maps
    maps = table_of(UnlikeMap)
    mine = (maps.c.inspection_id >= first, maps.c.inspection_id < end)
    connection.execute(delete(maps).where(*mine))
    return int(connection.scalar(_DROP_MONTH, {"month": month.begins.date()}) or 0)


def keep_views_of(connection: Connection, month: Month, batch: int) -> int:
    """Keep what a month's pictures say of parts, a batch, before its drop makes workers wait."""
    return keep_views(connection, _of(month), batch)


def _of(month: Month) -> ColumnElement[bool]:
    first, end = month.ids
    return and_(Inspection.id >= first, Inspection.id < end)


def _months(connection: Connection, ahead: int) -> list[Month]:
    this = Month.of(datetime.now(UTC))
    oldest = connection.scalar(select(func.min(Inspection.decided_at)))
    first = this if oldest is None else Month.of(oldest)
    return list(months(first, _later(this, ahead)))[-_OLDEST_MONTHS:]


def _later(month: Month, count: int) -> Month:
    for _ in range(count):
        month = month.next
    return month


def _forgettable(connection: Connection, month: Month, before: datetime) -> bool:
    first, end = month.ids
    for table in (table_of(Label), table_of(GoldenItem)):
        id_ = table.c.inspection_id
        if connection.scalar(select(id_).where(id_ >= first, id_ < end).limit(1)) is not None:
            return False
    c = table_of(Inspection).c  # not the partition's name: nobody but the owner has rights to that
    young = select(c.id).where(c.id >= first, c.id < end, c.decided_at >= before).limit(1)
    return connection.scalar(young) is None
