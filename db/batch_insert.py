"""A batch of new inspections on PostgreSQL: one statement, which is one transaction.

Five tables in one round trip. A statement that the client need not finish is never left open by a
worker that freezes, and the roll-up's few rows, for which workers wait on each other, are locked
for the time of this statement only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Column, Dialect, Engine, String, Table
from sqlalchemy.dialects import postgresql

from db.base import table_of
from db.tables import Feature, Inspection, InspectionHourly, InspectionScore

_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
_KEY = ("hour", "product", "line", "camera", "lot", "verdict", "defect_class", "model_version")


def insert_batch(
    engine: Engine, rows: Sequence[Mapping[str, Any]], vectors: Sequence[bytes | None]
) -> frozenset[UUID]:
    """Insert inspections with their scores, features and counts; returns the ids that are new.

    Args:
        engine: a PostgreSQL database.
        rows: of `inspections`, in the order in which they are to be locked, each with its plant
            `hour`, its `probabilities`, the `fingerprint` of its features, and what its shadow said
            (`shadow_version`, `shadow_probabilities`, `shadow_verdict`, `shadow_reason`), if any.
        vectors: of each row, its features, or None.

    Raises:
        sqlalchemy.exc.DBAPIError: the database is away or refused; nothing was stored.
    """
    # The rows go as one JSON text: 23 columns a row are more parameters than the driver likes. The
    # vectors go beside it, as they are: in JSON they would be hex, written once and read twice.
    placed, begin = [], 1
    for row, vector in zip(rows, vectors, strict=True):
        size = None if vector is None else len(vector)
        placed.append({**row, "begin": begin, "size": size})
        begin += size or 0
    parameters = {
        "rows": to_json(placed, inf_nan_mode="null").decode(),
        "vectors": b"".join(vector for vector in vectors if vector is not None),
    }
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        return frozenset(connection.exec_driver_sql(_statement(), parameters).scalars())


@lru_cache(maxsize=1)
def _statement() -> str:
    """The names come from the tables, never from input."""
    inspections, hourly = table_of(Inspection), table_of(InspectionHourly)
    scores, features = table_of(InspectionScore), table_of(Feature)
    names = ", ".join(column.name for column in inspections.columns)
    columns = [
        *map(_typed, inspections.columns),
        *map(_typed, (hourly.c.hour, scores.c.probabilities)),
        *(_typed(features.c.fingerprint), "begin integer", "size integer"),
        *("shadow_version text", "shadow_verdict text", "shadow_reason text"),
        f"shadow_probabilities {scores.c.probabilities.type.compile(_POSTGRESQL)}",
    ]
    named = ", ".join(f"coalesce({name}, '') AS {name}" for name in _KEY[1:])
    # In Python's order of strings, which is that of every other writer of these rows.
    order = ", ".join(_ordered(hourly, name) for name in _KEY)
    key = ", ".join(_KEY)
    return f"""
WITH incoming AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%(rows)s::json) AS r({", ".join(columns)})
), new AS (
  INSERT INTO inspections ({names}) SELECT {names} FROM incoming
  ON CONFLICT (id) DO NOTHING RETURNING id
), scored AS (
  INSERT INTO inspection_scores (inspection_id, model_version, probabilities)
  SELECT id, model_version, probabilities FROM incoming JOIN new USING (id)
  WHERE probabilities IS NOT NULL
), shadowed AS (
  INSERT INTO inspection_scores (inspection_id, model_version, probabilities, verdict, reason)
  SELECT id, shadow_version, shadow_probabilities, shadow_verdict, shadow_reason
  FROM incoming JOIN new USING (id) WHERE shadow_version IS NOT NULL
), kept AS (
  INSERT INTO features (inspection_id, fingerprint, vector, created_at)
  SELECT id, fingerprint, substring(%(vectors)b::bytea FROM begin FOR size), decided_at
  FROM incoming JOIN new USING (id) WHERE size IS NOT NULL
), counted AS (
  INSERT INTO inspection_hourly ({key}, count)
  SELECT {key}, count(*)
  FROM (SELECT hour, {named} FROM incoming JOIN new USING (id)) AS named
  GROUP BY {key} ORDER BY {order}
  ON CONFLICT ({key}) DO UPDATE SET count = inspection_hourly.count + excluded.count
)
SELECT id FROM new
"""  # noqa: S608


def _typed(column: Column[Any]) -> str:
    return f"{column.name} {column.type.compile(_POSTGRESQL)}"


def _ordered(table: Table, name: str) -> str:
    return f'{name} COLLATE "C"' if isinstance(table.c[name].type, String) else name
