"""One decision by one person, on a part that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from db.base import table_of
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.labels.vocabulary import Vocabulary
from db.storable_text import SERIAL, storable
from db.tables import Part
from linewatch.errors import LabelError
from linewatch.nearest import did_you_mean

_PARTS = table_of(Part).c
_BESIDE = 10  # known serial numbers on either side, one of which may be meant
_SHOWN = 60  # characters of a serial number in a sentence


@dataclass(frozen=True, slots=True)
class Decided:
    """What a part is now, and in words what it was."""

    pass_number: int
    disposition: str
    before: str


def decide(connection: Connection, decision: NewDecision) -> Decided:
    """Record a decision on one pass of a part: the latest, if none is named.

    Raises:
        UnknownProductError: the product is not registered.
        LabelError: it has no such class, or the part was never seen, or not in that pass.
    """
    words = Vocabulary.of(connection, {decision.product})
    words.refuse_unknown(decision.product, decision.label)
    passes = _passes(connection, decision)
    row = _meant(connection, decision, passes)
    named = replace(decision, pass_number=row["pass_number"])
    decisions.add(connection, [named])
    after = next(one for one in _passes(connection, named) if _key(one) == _key(row))
    return Decided(row["pass_number"], _words(after), f"it was {_words(row)}")


def _passes(connection: Connection, decision: NewDecision) -> list[Any]:
    """Of the part, as they began."""
    query = select(table_of(Part)).where(
        _PARTS.product == decision.product,
        _PARTS.serial == storable(decision.part, SERIAL),
        _PARTS.serial != "",
        _PARTS.counted,
    )
    ordered = query.order_by(_PARTS.made_at, _PARTS.scope, _PARTS.pass_number)
    return list(connection.execute(ordered).mappings())


def _meant(connection: Connection, decision: NewDecision, passes: Sequence[Any]) -> Any:
    if not passes:
        raise LabelError(
            f"no part of {decision.product} with the serial number {_short(decision.part)} was "
            f"seen{did_you_mean(decision.part[:SERIAL], _beside(connection, decision))}"
        )
    if decision.pass_number is None:
        return passes[-1]
    for row in reversed(passes):
        if row["pass_number"] == decision.pass_number:
            return row
    known = ", ".join(str(row["pass_number"]) for row in passes)
    raise LabelError(
        f"part {_short(decision.part)} of {decision.product} was not seen in pass "
        f"{decision.pass_number}; its passes: {known}"
    )


def _beside(connection: Connection, decision: NewDecision) -> list[str]:
    """Serial numbers of the product that sort next to this one."""
    serial = str(storable(decision.part, SERIAL))
    mine = select(_PARTS.serial).where(_PARTS.product == decision.product, _PARTS.serial != "")
    queries = (
        mine.where(_PARTS.serial < serial).order_by(_PARTS.serial.desc()),
        mine.where(_PARTS.serial > serial).order_by(_PARTS.serial),
    )
    return [name for query in queries for name in connection.scalars(query.limit(_BESIDE))]


def _key(row: Any) -> tuple[str, int]:
    return row["scope"], row["pass_number"]


def _words(row: Any) -> str:
    """`nonconforming (bent)`, `open (review)`, `conforming`."""
    more = row["classes"] or row["why"]
    return f"{row['disposition']} ({more})" if more else str(row["disposition"])


def _short(serial: str) -> str:
    return repr(serial if len(serial) <= _SHOWN else f"{serial[:_SHOWN]}…")
