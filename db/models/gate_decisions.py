"""Gate decisions: what was said of each challenger, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from db import audit
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import GateDecision

_TABLE = table_of(GateDecision)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision. `outcome` is passed, failed, undecided, or first (there was no champion)."""

    product: str
    challenger: str
    champion: str | None
    decided_at: datetime
    outcome: str
    reasons: list[str]
    figures: dict[str, Any]
    golden_digest: str | None
    by: str


def add(
    connection: Connection,
    *,
    product: str,
    challenger: str,
    champion: str | None,
    outcome: str,
    reasons: Sequence[str],
    figures: Mapping[str, Any],
    golden_digest: str | None,
    by: str,
) -> None:
    """Write a decision, and that it was made into the audit log."""
    row = {
        "product": product,
        "challenger": challenger,
        "champion": champion,
        "decided_at": database_now(connection),
        "outcome": outcome,
        "reasons": list(reasons),
        "figures": dict(figures),
        "golden_digest": golden_digest,
        "by": storable(by, 200),
    }
    connection.execute(_TABLE.insert(), row)
    detail = {"outcome": outcome, "champion": champion, "reasons": list(reasons)}
    audit.append(connection, by, "model.gate", challenger, detail)


def newest(
    engine: Engine, product: str | None = None, limit: int = 50, *, challenger: str | None = None
) -> list[DecisionRow]:
    """The last `limit` decisions, of one product or challenger or all, newest first."""
    c = _TABLE.c
    query = select(*(column for column in c if column.name != "id")).order_by(c.id.desc())
    if product is not None:
        query = query.where(c.product == product)
    if challenger is not None:
        query = query.where(c.challenger == challenger)
    with reading(engine) as connection:
        rows = connection.execute(query.limit(limit)).mappings()
        return [DecisionRow(**row) for row in rows]
