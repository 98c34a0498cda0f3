"""What people answer about drawn parts: kept as they said it, and only then made decisions.

The estimate is of answers alone. But somebody has seen the part, so what it is, a person has
decided: an escape must not ship because it was found by an audit. So each answer becomes a decision
of source `audit` on the part, or on a picture without a serial number a label, in the transaction
that keeps the answer. Right answers too: were only escapes decided, labelled parts would tell of a
model that errs far more often than it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, select

from db import audit
from db.audit_sample.items import Item
from db.base import table_of
from db.clock import database_now
from db.labels.decisions import CONFORMING, NONCONFORMING, NewDecision
from db.labels.labels import NewLabel, add_labels, products_of
from db.labels.vocabulary import Vocabulary
from db.storable_text import storable
from db.tables import AuditAnswer, Part
from quality.audit.draw import PassName

SOURCE = "audit"
_TABLE, _PARTS = table_of(AuditAnswer), table_of(Part)


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What somebody says a drawn part is. `answered_at` None means now.

    Attributes:
        label: a class of the product; the good one means that the part is conforming.
        where: where this was said ("audit.csv, line 3"), for errors.
    """

    item: Item
    label: str
    answered_by: str
    answered_at: datetime | None = None
    note: str = ""
    where: str = ""


def add(connection: Connection, answers: Sequence[NewAnswer]) -> list[Item]:
    """Record answers, all or none, and what they decide.

    Returns:
        Those of which nothing was decided: their pictures are gone, or a newer part bears the
        serial number, which a decision would be taken to be about.

    Raises:
        UnknownProductError: a product is not registered any more.
        LabelError: a product has no such class.
    """
    if not answers:
        return []
    words = Vocabulary.of(connection, {one.item.name.product for one in answers})
    now = database_now(connection)
    connection.execute(_TABLE.insert(), [_row(one, words, now) for one in answers])
    labels, decisions, left = _decided(connection, answers, now)
    add_labels(connection, labels, decisions)
    for actor in sorted({one.answered_by for one in answers}):
        theirs = [str(one.item.id) for one in answers if one.answered_by == actor]
        detail = {"answers": len(theirs), "first": theirs[0], "last": theirs[-1]}
        audit.append(connection, actor, "audit_sample.answer", "audit_answers", detail)
    return left


def _row(one: NewAnswer, words: Vocabulary, now: datetime) -> dict[str, Any]:
    product = one.item.name.product
    words.refuse_unknown(product, one.label, where=one.where)
    good = words.is_good(product, one.label)
    return {
        **one.item.name._asdict(),
        "disposition": CONFORMING if good else NONCONFORMING,
        "defect_class": None if good else one.label,
        "answered_by": storable(one.answered_by, 200),
        "answered_at": one.answered_at or now,
        "recorded_at": now,
        "note": storable(one.note, 2000),
    }


def _decided(
    connection: Connection, answers: Sequence[NewAnswer], now: datetime
) -> tuple[list[NewLabel], list[NewDecision], list[Item]]:
    alone = [UUID(one.item.name.scope) for one in answers if not one.item.name.serial]
    there = products_of(connection, alone)
    labels: list[NewLabel] = []
    decisions: list[NewDecision] = []
    left: list[Item] = []
    for one in answers:
        name, at = one.item.name, one.answered_at or now
        if not name.serial and UUID(name.scope) in there:
            id_ = UUID(name.scope)
            label = NewLabel(id_, one.label, one.answered_by, SOURCE, at, one.note, one.where)
            labels.append(label)
        elif name.serial and not newer(connection, name, one.item.made_at):
            decisions.append(
                NewDecision(
                    product=name.product,
                    part=name.serial,
                    label=one.label,
                    decided_by=one.answered_by,
                    source=SOURCE,
                    decided_at=at,
                    why=one.note,
                    pass_number=name.pass_number,
                    where=one.where,
                )
            )
        else:
            left.append(one.item)
    return labels, decisions, left


def newer(connection: Connection, name: PassName, made_at: datetime) -> bool:
    """Whether a part of another lot or day bears the serial number of one that was made then.

    A decision names no lot and no day: it would be on that one.
    """
    c = _PARTS.c
    same = (c.product == name.product, c.serial == name.serial, c.pass_number == name.pass_number)
    other = exists(
        select(c.scope).where(*same, c.scope != name.scope, c.counted, c.made_at >= made_at)
    )
    return bool(connection.scalar(select(other)))
