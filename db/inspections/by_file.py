"""Finding inspections by their file: where it lies, or what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import ARRAY, ColumnElement, Connection, String, Uuid, bindparam, select, text

from db.base import table_of
from db.tables import Inspection

File = Literal["image_uri", "image_sha256"]
_INSPECTIONS = table_of(Inspection).c
# The days that there are, one after the other, and in each the index's few entries of the hashes.
# Without OFFSET the planner might read the whole table, since it knows little of either number.
_ON_POSTGRESQL = """
WITH RECURSIVE days (day) AS (
  (SELECT (decided_at AT TIME ZONE 'UTC')::date FROM inspections ORDER BY 1 LIMIT 1)
  UNION ALL
  SELECT (
    SELECT (decided_at AT TIME ZONE 'UTC')::date FROM inspections
    WHERE (decided_at AT TIME ZONE 'UTC')::date > day ORDER BY 1 LIMIT 1
  ) FROM days WHERE day IS NOT NULL
)
SELECT found.id FROM days CROSS JOIN LATERAL (
  SELECT id FROM inspections
  WHERE (decided_at AT TIME ZONE 'UTC')::date = day
    AND hashtext({column}) = ANY (ARRAY(SELECT hashtext(value) FROM unnest(:values) AS value))
    AND {column} = ANY (:values)
  OFFSET 0
) AS found
"""


def of_files(connection: Connection, file: File, values: Sequence[str]) -> ColumnElement[bool]:
    """The condition that an inspection's file is one of `values`, at most 500.

    About 0.02 ms a day of history and some microseconds a day and value on PostgreSQL.
    """
    if connection.dialect.name != "postgresql":
        return _INSPECTIONS[file].in_(values)
    words = text(_ON_POSTGRESQL.format(column=file))
    words = words.bindparams(bindparam("values", list(values), type_=ARRAY(String)))
    return _INSPECTIONS.id.in_(select(words.columns(id=Uuid).subquery().c.id))
