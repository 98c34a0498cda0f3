"""The hourly roll-up: counted in the transaction that inserts, checked by counting again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, select

from db.base import table_of
from db.hours import plant_hour
from db.session import reading
from db.tables import Inspection, InspectionHourly
from db.upsert import insert_many_into, many


class RollupKey(NamedTuple):
    """What is counted together; '' stands for none."""

    hour: datetime
    product: str
    line: str
    camera: str
    lot: str
    verdict: str
    defect_class: str
    model_version: str


def rollup_key(row: Mapping[str, Any], timezone: tzinfo) -> RollupKey:
    """The roll-up row that a row of `inspections` counts in."""
    named = (row[name] or "" for name in RollupKey._fields[1:])
    return RollupKey(plant_hour(row["decided_at"], timezone), *named)


def add_counts(connection: Connection, counts: Mapping[RollupKey, int]) -> None:
    """Add to the roll-up, keys in sorted order: workers that share rows queue, none deadlocks.

    A negative count takes away; a row that comes to nothing is deleted.
    """
    counts = {key: count for key, count in counts.items() if count}
    if not counts:
        return
    table = table_of(InspectionHourly)
    statement = insert_many_into(connection, table)
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={"count": table.c.count + statement.excluded.count},
    )
    rows = [{**key._asdict(), "count": counts[key]} for key in sorted(counts)]
    connection.execute(statement.returning(table.c.count), many(connection, rows))
    for key in sorted(key for key, count in counts.items() if count < 0):
        same = [table.c[name] == value for name, value in key._asdict().items()]
        connection.execute(delete(table).where(*same, table.c.count <= 0))


def recount(connection: Connection, timezone: tzinfo) -> Counter[RollupKey]:
    """What the roll-up should say, counted from every inspection: costs a full scan."""
    names = [name for name in RollupKey._fields if name != "hour"]
    columns = [table_of(Inspection).c[name] for name in (*names, "decided_at")]
    rows = connection.execute(select(*columns)).mappings()
    return Counter(rollup_key(dict(row), timezone) for row in rows)


def stored_counts(connection: Connection) -> Counter[RollupKey]:
    """What the roll-up says."""
    table = table_of(InspectionHourly)
    rows: Iterable[Any] = connection.execute(select(table))
    return Counter({RollupKey(*row[:-1]): row[-1] for row in rows})


def discrepancies(engine: Engine, timezone: tzinfo) -> dict[RollupKey, tuple[int, int]]:
    """Where the roll-up differs from the inspections: `{key: (rolled up, recounted)}`.

    Empty is right. After a purge of inspections or a change of the plant's time zone it is not,
    and need not be.
    """
    with reading(engine) as connection:
        stored, counted = stored_counts(connection), recount(connection, timezone)
    keys = stored.keys() | counted.keys()
    return {key: (stored[key], counted[key]) for key in keys if stored[key] != counted[key]}
