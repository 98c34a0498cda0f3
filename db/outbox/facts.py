"""The facts that entries of the outbox name, as the database knows them now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, func, select

from db.base import table_of
from db.outbox.entries import PartKey
from db.outbox.matching import rows_of_pairs, rows_of_values
from db.tables import Inspection, OutboxPart, Part
from quality.parts.disposition import Why

_I, _P, _T = table_of(Inspection).c, table_of(Part).c, table_of(OutboxPart).c
_NAMES = ("product", "serial", "scope", "pass_number", "line", "disposition", "classes")
_MORE = ("decided_by", "why", "model_version", "views", "made_at", "last_at", "by_receipt")
_PART = [_P[name] for name in _NAMES + _MORE]


@dataclass(frozen=True, slots=True)
class PictureFact:
    """A picture's verdict; `by_receipt` as in `PartFact`."""

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
    by_receipt: bool


@dataclass(frozen=True, slots=True)
class PartFact:
    """A part as it is counted, see `db.tables.part.Part`.

    Attributes:
        by_receipt: the camera's clock was not believed; `made_at` is by the database's.
    """

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
    by_receipt: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was told of a part."""

    revision: int
    said: str
    overdue: bool


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
        func.coalesce(_I.by_receipt, _I.captured_at.is_(None)),
    )
    rows = rows_of_values(connection, query, _I.id, ids, Uuid())
    return {row[0]: PictureFact(*tuple(row)) for row in rows}


def parts(
    connection: Connection, serials: Collection[tuple[str, str]], single: Collection[UUID] = ()
) -> dict[tuple[str, str], list[PartFact]]:
    """Every pass of serial numbers, and pictures without one of which something is known besides.

    Args:
        serials: (product, serial).
        single: pictures without a serial; found under ('', id).
    """
    alone = select(*_PART).where(_P.counted, _P.serial == "")
    rows = chain(
        rows_of_pairs(connection, _PART, (_P.product, _P.serial), [_P.counted], serials),
        rows_of_values(connection, alone, _P.scope, [str(id_) for id_ in single], Text()),
    )
    found: defaultdict[tuple[str, str], list[PartFact]] = defaultdict(list)
    for row in rows:
        fact = _part(row)
        key = fact.key
        found[(key.product, key.serial) if key.serial else ("", key.scope)].append(fact)
    return dict(found)


def incomplete(connection: Connection, serials: Collection[tuple[str, str]]) -> list[PartFact]:
    """Those passes of serial numbers (product, serial) of which a view is missing."""
    where = [_P.counted, _P.why == Why.INCOMPLETE]
    rows = rows_of_pairs(connection, _PART, (_P.product, _P.serial), where, serials)
    return [_part(row) for row in rows]


def serials(connection: Connection, ids: Collection[UUID]) -> set[tuple[str, str]]:
    """The serial numbers (product, serial) of pictures that have one."""
    named = select(_I.product, _I.part).where(_I.product.is_not(None), _I.part != "")
    return {tuple(row) for row in rows_of_values(connection, named, _I.id, ids, Uuid())}


def overdue_candidates(connection: Connection, line: str, since: datetime) -> list[PartFact]:
    """Parts of a line, made since then, of which a view is missing."""
    query = select(*_PART).where(
        _P.counted,
        _P.disposition == "open",
        _P.line == line,
        _P.why == Why.INCOMPLETE,
        _P.made_at >= since,
    )
    return [_part(row) for row in connection.execute(query)]


def told(
    connection: Connection, line: str, receiver: str, serials: Collection[tuple[str, str]]
) -> dict[PartKey, Told]:
    """What a receiver was told of every pass of these serial numbers."""
    columns = (_T.product, _T.serial, _T.scope, _T.pass_number, _T.revision, _T.said, _T.overdue)
    where = [_T.line == line, _T.receiver == receiver]
    rows = rows_of_pairs(connection, columns, (_T.product, _T.serial), where, serials)
    return {PartKey(*tuple(row)[:4]): Told(*tuple(row)[4:]) for row in rows}


def _part(row: Any) -> PartFact:
    key, classes = PartKey(*row[:4]), tuple(row.classes.split("+")) if row.classes else ()
    return PartFact(key, row.line, row.disposition, classes, *row[7:])
