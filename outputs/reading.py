"""Reads what is next to tell a receiver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from db.outbox import entries as outbox
from db.outbox import facts as known
from outputs.telling import Facts, Line, Telling, tellings


@dataclass(frozen=True, slots=True)
class Batch:
    """What follows a cursor.

    Attributes:
        reached: the number of the last entry that was read.
        lost: how many entries before the first one were purged before they were told.
    """

    tellings: Sequence[Telling]
    reached: int
    lost: int = 0


def next_batch(
    connection: Connection,
    line: Line,
    receiver: str,
    level: str,
    after: int,
    limit: int,
    now: datetime,
) -> Batch:
    """What at most `limit` entries after a cursor tell a receiver; `reached` is `after`: none.

    Args:
        now: by the database's clock; what had to be told before it is late.
    """
    entries = outbox.entries_after(connection, line.name, after, limit)
    if not entries:
        head = outbox.head(connection, line.name)
        if head > after:  # committed between the two statements, each of which sees its own moment
            entries = outbox.entries_after(connection, line.name, after, limit)
        if not entries:
            # All that there was was purged, or nothing is new: there is nothing to wait for.
            return Batch((), max(head, after), max(0, head - after))
    facts = facts_of(connection, line.name, receiver, level, entries)
    found = list(tellings(line, level, entries, facts, now))
    return Batch(found, entries[-1].sequence, entries[0].sequence - after - 1)


def facts_of(
    connection: Connection,
    line: str,
    receiver: str,
    level: str,
    entries: Sequence[outbox.Entry],
) -> Facts:
    """What the database knows of what the entries name."""
    ids = {entry.picture for entry in entries if entry.picture is not None}
    pictures = known.pictures(connection, ids)
    if level == "picture":
        return Facts(pictures)
    serials = {(one.product, one.serial) for one in pictures.values() if one.serial}
    single = {one.id for one in pictures.values() if not one.serial}
    for entry in entries:
        if entry.part is not None and entry.part.serial:
            serials.add((entry.part.product, entry.part.serial))
        elif entry.part is not None:
            single.add(UUID(entry.part.scope))
    parts = known.parts(connection, serials, single)
    without_serial = {(key.product, "") for key in _keys(parts) if not key.serial}
    told = known.told(connection, line, receiver, serials | without_serial)
    return Facts(pictures, parts, told)


def _keys(parts: dict[tuple[str, str], list[known.PartFact]]) -> list[outbox.PartKey]:
    return [part.key for passes in parts.values() for part in passes]
