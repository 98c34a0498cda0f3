"""The hourly roll-up: counted in the transaction that inserts, checked by counting again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, literal, literal_column, select
from sqlalchemy.dialects import sqlite

from db.base import table_of
from db.inspections.hours import plant_hour
from db.session import reading
from db.tables import Inspection, InspectionHourly

_TABLE = table_of(InspectionHourly)
_INSERT = sqlite.insert(_TABLE)
_ADD = _INSERT.on_conflict_do_update(
    index_elements=list(_TABLE.primary_key.columns),
    set_={"count": _TABLE.c.count + _INSERT.excluded.count},
)

_QUARTER: Any = literal_column("interval '15 minutes'")
_EPOCH: Any = literal_column("timestamptz 'epoch'")


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
    """Add to the roll-up, on SQLite; PostgreSQL's functions do it themselves.

    A negative count takes away; a row that comes to nothing is deleted.
    """
    counts = {key: count for key, count in counts.items() if count}
    if not counts:
        return
    connection.execute(_ADD, [{**key._asdict(), "count": count} for key, count in counts.items()])
    for key in sorted(key for key, count in counts.items() if count < 0):
        same = [_TABLE.c[name] == value for name, value in key._asdict().items()]
        connection.execute(delete(_TABLE).where(*same, _TABLE.c.count <= 0))


def recount(connection: Connection, timezone: tzinfo) -> Counter[RollupKey]:
    """What the roll-up should say, counted from every inspection: costs a full scan.

    PostgreSQL sums up quarter hours, of which every zone's hours consist, and this process adds
    these: of ten million rows it would be busy for longer than a transaction may be idle.
    """
    c = table_of(Inspection).c
    names = [c[name] for name in RollupKey._fields if name != "hour"]
    if connection.dialect.name == "postgresql":
        at = func.date_bin(_QUARTER, c.decided_at, _EPOCH, type_=c.decided_at.type)
        counted = select(*names, at.label("decided_at"), func.count().label("count"))
        query = counted.group_by(*names, at)
    else:
        query = select(*names, c.decided_at, literal(1).label("count"))
    found: Counter[RollupKey] = Counter()
    for row in connection.execute(query.execution_options(yield_per=5000)).mappings():
        found[rollup_key(dict(row), timezone)] += row["count"]
    return found


def stored_counts(connection: Connection) -> Counter[RollupKey]:
    """What the roll-up says."""
    rows: Iterable[Any] = connection.execute(select(_TABLE))
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
