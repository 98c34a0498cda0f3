"""The statements behind `db.retention.partitions`; names come from the schema and months only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from db.base import Base
from db.retention.months import Month

# Each is partitioned by the first column of its primary key, the inspection's id.
TABLES = ("inspections", "inspection_scores", "features")


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Inside, nothing refers to inspections; afterwards all but scores and features do again."""
    query = text(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid = to_regclass('inspections') ORDER BY conname"
    )
    referring = connection.execute(query).all()
    for table, name, _ in referring:
        _execute(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in referring:
        if table not in TABLES:
            _execute(connection, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def rebuild(connection: Connection, name: str, wanted: Sequence[Month]) -> None:
    """Replace a table by a partitioned one with the same rows, indexes and rights."""
    table = Base.metadata.tables[name]
    key = next(iter(table.primary_key.columns)).name
    rights = _rights(connection, name)
    _execute(
        connection,
        f"CREATE TABLE {name}_new (LIKE {name} INCLUDING DEFAULTS INCLUDING STORAGE"
        f" INCLUDING CONSTRAINTS) PARTITION BY RANGE ({key})",
    )
    _execute(connection, f"CREATE TABLE {name}_default PARTITION OF {name}_new DEFAULT")
    for month in wanted:
        _add_partition(connection, f"{name}_new", f"{name}_{month.name}", month)
    _execute(connection, f"INSERT INTO {name}_new SELECT * FROM {name}")  # noqa: S608
    _execute(connection, f"DROP TABLE {name}")
    _execute(connection, f"ALTER TABLE {name}_new RENAME TO {name}")
    columns = ", ".join(column.name for column in table.primary_key.columns)
    _execute(connection, f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY ({columns})")
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        index.create(connection)
    for grant in rights:
        _execute(connection, grant)


def _add_partition(connection: Connection, parent: str, name: str, month: Month) -> None:
    first, end = month.ids
    _execute(
        connection,
        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {parent}"
        f" FOR VALUES FROM ('{first}') TO ('{end}')",
    )


def _rights(connection: Connection, name: str) -> list[str]:
    """GRANT statements that say who may do what with a table besides its owner."""
    query = text(
        "SELECT format('GRANT %s%s ON %I TO %s', acl.privilege_type, acl.columns, acl.relname,"
        "   CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END)"
        " FROM ("
        "   SELECT c.relname, c.relowner, '' AS columns, a.* FROM pg_class c, aclexplode(relacl) a"
        "   WHERE c.oid = to_regclass(:name)"
        "   UNION ALL"
        "   SELECT c.relname, c.relowner, format(' (%I)', attname), a.*"
        "   FROM pg_class c JOIN pg_attribute ON attrelid = c.oid, aclexplode(attacl) a"
        "   WHERE c.oid = to_regclass(:name)"
        " ) acl LEFT JOIN pg_roles r ON r.oid = acl.grantee WHERE acl.grantee <> acl.relowner"
    )
    return list(connection.execute(query, {"name": name}).scalars())


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
