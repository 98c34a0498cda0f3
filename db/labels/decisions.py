"""Decisions: what people said of whole parts. Nothing is overwritten; the latest word counts.

A decision is no label: which of the part's pictures shows the defect is not said, so no model
learns from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from db import audit
from db.base import table_of
from db.clock import database_now
from db.labels.vocabulary import TAKEN_BACK, Vocabulary
from db.outbox.append import append_parts
from db.parts.settle import Serial, settle
from db.session import reading
from db.storable_text import SERIAL, storable
from db.tables import PartDecision

CONFORMING, NONCONFORMING, OPEN = "conforming", "nonconforming", "open"
_TABLE = table_of(PartDecision)


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What somebody says a part is. `decided_at` None means now, by the database's clock.

    Attributes:
        label: a class of the product; the good one means that the part is conforming.
            `TAKEN_BACK`: nobody's decision on it holds any more.
        pass_number: which pass through the line is meant; None: it was not said.
        where: where this was said ("labels.csv, line 3"), for errors.
    """

    product: str
    part: str
    label: str
    decided_by: str
    source: str = "person"
    decided_at: datetime | None = None
    why: str = ""
    pass_number: int | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """One decision as it was recorded; `defect_class` is None unless the part is nonconforming."""

    product: str
    part: str
    pass_number: int | None
    disposition: str
    defect_class: str | None
    decided_by: str
    decided_at: datetime
    recorded_at: datetime
    source: str
    why: str


def add(connection: Connection, rows: Sequence[NewDecision]) -> int:
    """Record decisions, all or none; returns how many.

    Raises:
        UnknownProductError: a product is not registered.
        LabelError: a product has no such class.
    """
    if not rows:
        return 0
    store(connection, rows)
    settle(connection, serials_of(rows))
    append_parts(connection, serials_of(rows))
    note(connection, rows)
    return len(rows)


def store(connection: Connection, rows: Sequence[NewDecision]) -> None:
    """The rows of `add`; `settle` counts them, `note` writes them into the audit log, last."""
    words = Vocabulary.of(connection, {row.product for row in rows})
    now = database_now(connection)
    stored = [_row(row, words, now) for row in rows]
    if stored:
        connection.execute(_TABLE.insert(), stored)


def serials_of(rows: Sequence[NewDecision]) -> list[Serial]:
    """The serial numbers decided on."""
    return [Serial(row.product, str(storable(row.part, SERIAL))) for row in rows]


def note(connection: Connection, rows: Sequence[NewDecision]) -> None:
    """Note who decided how many parts."""
    for actor in sorted({row.decided_by for row in rows}):
        theirs = [f"{row.product}/{row.part}" for row in rows if row.decided_by == actor]
        detail = {"decisions": len(theirs), "first": theirs[0], "last": theirs[-1]}
        audit.append(connection, actor, "decision.add", "decisions", detail)


def _row(row: NewDecision, words: Vocabulary, now: datetime) -> dict[str, Any]:
    disposition = _disposition(row, words)
    return {
        "product": row.product,
        "part": storable(row.part, SERIAL),
        "pass_number": row.pass_number,
        "disposition": disposition,
        "defect_class": row.label if disposition == NONCONFORMING else None,
        "decided_by": storable(row.decided_by, 200),
        "decided_at": row.decided_at or now,
        "recorded_at": now,
        "source": storable(row.source, 64),
        "why": storable(row.why, 2000),
    }


def _disposition(row: NewDecision, words: Vocabulary) -> str:
    if row.label == TAKEN_BACK:
        words.refuse_unregistered(row.product, where=row.where)
        return OPEN
    words.refuse_unknown(row.product, row.label, where=row.where)
    return CONFORMING if words.is_good(row.product, row.label) else NONCONFORMING


def history(engine: Engine, product: str, part: str | None = None) -> list[RecordedDecision]:
    """Every decision ever made, by part, in the order in which they hold."""
    c = _TABLE.c
    query = select(*(column for column in c if column.name != "id")).where(c.product == product)
    if part is not None:
        query = query.where(c.part == part)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(c.part, c.decided_at, c.id))
        return [RecordedDecision(*row) for row in rows]


def current(engine: Engine, product: str, part: str | None = None) -> list[RecordedDecision]:
    """The decision that holds for each part and pass: the latest."""
    newest = {(one.part, one.pass_number): one for one in history(engine, product, part)}
    return list(newest.values())
