"""What there is to tell a line, in order, and the facts that it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.parts.pairs import of_serials
from db.tables import Inspection, Outbox, OutboxLine, OutboxPart, Part

_OUTBOX, _LINES = table_of(Outbox).c, table_of(OutboxLine).c
_I, _P, _T = table_of(Inspection).c, table_of(Part).c, table_of(OutboxPart).c
_CHUNK = 400  # SQLite binds a few thousand values a statement


class PartKey(NamedTuple):
    """A pass of a serial number; serial '': a picture without one, whose id is the scope."""

    product: str
    serial: str
    scope: str
    pass_number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to tell: a picture's id, or a part; `kind` as of `db.tables.outbox.Outbox`."""

    sequence: int
    kind: str
    written_at: datetime
    picture: UUID | None = None
    part: PartKey | None = None


@dataclass(frozen=True, slots=True)
class PictureFact:
    """A picture's verdict."""

    id: UUID
    site: str
    product: str
    serial: str
    pass_number: int | None
    camera: str
    verdict: str
    defect_class: str | None
    confidence: float | None
    reason: str
    model_version: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class PartFact:
    """A part as it is counted, see `db.tables.part.Part`."""

    key: PartKey
    line: str
    disposition: str
    classes: tuple[str, ...]
    decided_by: str
    why: str
    model_version: str
    views: int
    made_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was told of a part."""

    revision: int
    said: str
    overdue: bool


def head(connection: Connection, line: str) -> int:
    """The number of the last entry; 0 where the line has no outbox."""
    return int(connection.execute(select(_LINES.last).where(_LINES.line == line)).scalar() or 0)


def number_before(connection: Connection, line: str, at: datetime) -> int:
    """The number of the last entry that was written before a time, of those that are there."""
    row = select(_OUTBOX.first).where(_OUTBOX.line == line, _OUTBOX.written_at >= at)
    first = connection.execute(row.order_by(_OUTBOX.last).limit(1)).scalar()
    return head(connection, line) if first is None else int(first) - 1


def begun(connection: Connection, line: str) -> datetime | None:
    """When the line got its outbox; None: it has none."""
    return connection.execute(select(_LINES.since).where(_LINES.line == line)).scalar()


def entries_after(connection: Connection, line: str, after: int, limit: int) -> list[Entry]:
    """The next entries of a line, at most `limit`, in order.

    Empty where there are none. What was purged is passed over.
    """
    query = select(_OUTBOX.first, _OUTBOX.kind, _OUTBOX.entries, _OUTBOX.written_at)
    query = query.where(_OUTBOX.line == line).order_by(_OUTBOX.last)
    rows = connection.execute(query.where(_OUTBOX.last > after, _OUTBOX.last <= after + limit))
    found = list(_entries(rows.all(), after))
    # Then the row in which the limit falls, or the first one behind a hole.
    if len(found) < limit:
        reached = found[-1].sequence if found else after
        more = connection.execute(query.where(_OUTBOX.last > reached).limit(1)).all()
        found += _entries(more, after)
    return found[:limit]


def _entries(rows: Sequence[Any], after: int) -> Iterator[Entry]:
    for first, kind, values, written_at in rows:
        for sequence, value in enumerate(values, first):
            if sequence <= after:
                continue
            if kind == "pictures":
                yield Entry(sequence, kind, written_at, picture=UUID(value))
            else:
                yield Entry(sequence, kind, written_at, part=PartKey(*value))


def pictures(connection: Connection, ids: Collection[UUID]) -> dict[UUID, PictureFact]:
    """The verdicts of those pictures that are not purged."""
    query = select(
        _I.id,
        func.coalesce(_I.site, ""),
        func.coalesce(_I.product, ""),
        func.coalesce(_I.part, ""),
        _I.pass_number,
        func.coalesce(_I.camera, ""),
        _I.verdict,
        _I.defect_class,
        _I.confidence,
        func.coalesce(_I.reason, ""),
        func.coalesce(_I.model_version, ""),
        func.coalesce(_I.made_at, _I.captured_at, _I.decided_at),
    )
    return {
        row[0]: PictureFact(*tuple(row))
        for chunk in _chunks(sorted(ids))
        for row in connection.execute(query.where(_I.id.in_(chunk)))
    }


def parts(
    connection: Connection, serials: Collection[tuple[str, str]], single: Collection[UUID] = ()
) -> dict[tuple[str, str], list[PartFact]]:
    """Every pass of serial numbers, and pictures without one of which something is known besides.

    Args:
        serials: (product, serial).
        single: pictures without a serial; found under ('', id).
    """
    names = ("product", "serial", "scope", "pass_number", "line", "disposition", "classes")
    more = ("decided_by", "why", "model_version", "views", "made_at", "last_at")
    query = select(*(_P[name] for name in names + more)).where(_P.counted)
    wheres = [of_serials(_P.product, _P.serial, some) for some in _chunks(sorted(serials))]
    wheres += [(_P.serial == "") & _P.scope.in_(some) for some in _chunks(sorted(map(str, single)))]
    found: defaultdict[tuple[str, str], list[PartFact]] = defaultdict(list)
    for where in wheres:
        for row in connection.execute(query.where(where)):
            fact = _part(row)
            key = fact.key
            found[(key.product, key.serial) if key.serial else ("", key.scope)].append(fact)
    return dict(found)


def overdue_candidates(connection: Connection, line: str, since: datetime) -> list[PartFact]:
    """Parts of a line, made since then, of which a view is missing."""
    names = ("product", "serial", "scope", "pass_number", "line", "disposition", "classes")
    more = ("decided_by", "why", "model_version", "views", "made_at", "last_at")
    query = select(*(_P[name] for name in names + more)).where(
        _P.counted,
        _P.disposition == "open",
        _P.line == line,
        _P.why == "incomplete",
        _P.made_at >= since,
    )
    return [_part(row) for row in connection.execute(query)]


def told(
    connection: Connection, line: str, receiver: str, serials: Collection[tuple[str, str]]
) -> dict[PartKey, Told]:
    """What a receiver was told of every pass of these serial numbers."""
    keys = (_T.product, _T.serial, _T.scope, _T.pass_number)
    query = select(*keys, _T.revision, _T.said, _T.overdue)
    query = query.where(_T.line == line, _T.receiver == receiver)
    return {
        PartKey(*row[:4]): Told(*row[4:])
        for some in _chunks(sorted(serials))
        for row in connection.execute(query.where(of_serials(_T.product, _T.serial, some)))
    }


def _part(row: Any) -> PartFact:
    key, classes = PartKey(*row[:4]), tuple(row.classes.split("+")) if row.classes else ()
    return PartFact(key, row.line, row.disposition, classes, *row[7:])


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
