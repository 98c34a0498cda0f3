"""The last step of a transaction that commits verdicts or decisions: what its lines are to be told.

Only of lines that have receivers, see `db.outbox.cursors.register`. It locks the lines' rows, in
the order of their names, until the commit; so it comes after all other locks.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text, update

from db.base import table_of
from db.parts.pairs import of_serials
from db.tables import Inspection, Outbox, OutboxLine, Part

_LINES, _OUTBOX = table_of(OutboxLine), table_of(Outbox)
_PARTS, _INSPECTIONS = table_of(Part).c, table_of(Inspection).c
_IN_THE_SERVER = text("SELECT linewatch_append(:line, :kind, CAST(:entries AS jsonb))")
_CHUNK = 400  # SQLite binds a few thousand values a statement


def append(connection: Connection, line: str, kind: str, entries: Sequence[Any]) -> int | None:
    """Write entries into a line's outbox; returns the last one's number, or None: no receivers.

    Args:
        kind: see `db.tables.outbox.Outbox`.
        entries: JSON; the line is told them in this order.
    """
    if not entries:
        return None
    if connection.dialect.name == "postgresql":
        given = {"line": line, "kind": kind, "entries": json.dumps(list(entries))}
        number = connection.execute(_IN_THE_SERVER, given).scalar()
        return None if number is None else int(number)
    c = _LINES.c
    count = update(_LINES).where(c.line == line).values(last=c.last + len(entries))
    last = connection.execute(count.returning(c.last)).scalar()
    if last is None:
        return None
    row = {"line": line, "last": last, "first": last - len(entries) + 1, "kind": kind}
    now = datetime.now(UTC)
    connection.execute(_OUTBOX.insert(), {**row, "entries": list(entries), "written_at": now})
    return int(last)


def append_pictures(connection: Connection, ids: Collection[UUID]) -> None:
    """New verdicts; on SQLite, for PostgreSQL has the function `linewatch_outbox`."""
    lines = list(connection.execute(select(_LINES.c.line)).scalars())
    if not lines:
        return
    found: defaultdict[str, list[str]] = defaultdict(list)
    query = select(_INSPECTIONS.line, _INSPECTIONS.id).where(_INSPECTIONS.line.in_(lines))
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        chunk = query.where(_INSPECTIONS.id.in_(ordered[start : start + _CHUNK]))
        for line, id_ in connection.execute(chunk.order_by(_INSPECTIONS.id)):
            found[line].append(str(id_))
    for line in sorted(found):
        append(connection, line, "pictures", found[line])


def append_parts(
    connection: Connection, serials: Collection[tuple[str, str]], pictures: Collection[UUID] = ()
) -> None:
    """Parts that people said something of: (product, serial), and pictures without a serial."""
    lines = select(_LINES.c.line)
    if connection.execute(lines.limit(1)).first() is None:
        return
    keys = (_PARTS.product, _PARTS.serial, _PARTS.scope, _PARTS.pass_number)
    query = select(_PARTS.line, *keys).where(_PARTS.counted, _PARTS.line.in_(lines))
    wanted = sorted(set(serials))
    wheres = [
        of_serials(_PARTS.product, _PARTS.serial, wanted[start : start + _CHUNK])
        for start in range(0, len(wanted), _CHUNK)
    ]
    single = sorted(map(str, pictures))
    wheres += [
        (_PARTS.serial == "") & _PARTS.scope.in_(single[start : start + _CHUNK])
        for start in range(0, len(single), _CHUNK)
    ]
    found: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for where in wheres:
        for line, *key in connection.execute(query.where(where).order_by(*keys)):
            found[line].append(key)
    for line in sorted(found):
        append(connection, line, "parts", found[line])
