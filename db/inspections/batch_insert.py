"""A batch of inspections on PostgreSQL: one call of a function, which is one transaction.

Five tables in one round trip. A statement that the client need not finish is never left open by a
worker that freezes, and the roll-up's few rows, for which workers wait on each other, are locked
for the time of this statement only. And the function's owner has the rights: a worker may add
verdicts, and change none (see `db.roles`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Engine

from db.base import table_of
from db.tables import Inspection

_COLUMNS = table_of(Inspection).columns.keys()
_GIVEN = "%(rows)s::json, %(extras)s::json, %(vectors)b::bytea, %(named)s::text[]"
_INSERT = f"SELECT linewatch_commit({_GIVEN})"
_REPLACE = f"SELECT linewatch_replace({_GIVEN})"


Rows = Sequence[Mapping[str, Any]]


def insert_batch(
    engine: Engine, rows: Rows, extras: Rows, vectors: Sequence[bytes | None]
) -> frozenset[UUID]:
    """Insert inspections with their scores, features and counts; returns the ids that are new.

    Args:
        engine: a PostgreSQL database.
        rows: of `inspections`, in the order in which they are to be locked.
        extras: of each row, its plant `hour`, the `fingerprint` of its features, and what its
            shadow said (`shadow_version`, `shadow_probabilities`, `shadow_verdict`,
            `shadow_reason`), if any.
        vectors: of each row, its features, or None.

    Raises:
        sqlalchemy.exc.DBAPIError: the database is away or refused; nothing was stored.
    """
    return _call(engine, _INSERT, rows, extras, vectors)


def replace_batch(
    engine: Engine, rows: Rows, extras: Rows, vectors: Sequence[bytes | None]
) -> frozenset[UUID]:
    """Write rows in the place of dead letters that were sent again; returns their ids.

    Args:
        engine: a PostgreSQL database.
        rows: as of `insert_batch`.
        extras: the same, each with `old_hour`, the plant's hour of its dead letter.
        vectors: of each row, its features, or None.

    Raises:
        sqlalchemy.exc.DBAPIError: the database is away or refused; nothing was stored.
    """
    return _call(engine, _REPLACE, rows, extras, vectors)


def _call(
    engine: Engine, statement: str, rows: Rows, extras: Rows, vectors: Sequence[bytes | None]
) -> frozenset[UUID]:
    # Rows and extras go as a JSON text each: 23 columns a row are more parameters than the driver
    # likes. The vectors go beside them, as they are: in JSON they would be hex, written once and
    # read twice. What a row lacks is left out, since most rows lack half of it: it comes out NULL.
    given = [{name: value for name, value in row.items() if value is not None} for row in rows]
    placed, begin = [], 1
    for row, extra, vector in zip(rows, extras, vectors, strict=True):
        size = None if vector is None else len(vector)
        placed.append({"id": row["id"], **extra, "begin": begin, "size": size})
        begin += size or 0
    parameters = {
        "rows": to_json(given, inf_nan_mode="null").decode(),
        "extras": to_json(placed, inf_nan_mode="null").decode(),
        "vectors": b"".join(vector for vector in vectors if vector is not None),
        "named": _COLUMNS,
    }
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        return frozenset(connection.exec_driver_sql(statement, parameters).scalars())
