"""The queue: open parts by usefulness, with the audit sample among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Engine

from console.pages.review.claims import with_claimed_last
from console.pages.review.recent import Recent
from db.audit_sample import items
from db.audit_sample.items import Item
from db.models import deployments, versions
from db.review import golden, waiting
from db.review.pictures import Seen, pictures_of, vectors_of
from db.review.waiting import Waiting
from db.session import reading
from producer.contract import Reason
from quality.audit.draw import PassName
from quality.parts.review_order import Candidate, mixed, useful_order

SHOWN = 12  # parts of the queue on a page
_CANDIDATES = 240
_KEPT = 60  # of these, in the order of usefulness
_DRAWN = 200
SAMPLE_DAYS = 90  # older ones of the sample: `linewatch audit-sample list`
_orders: Recent[list[PassName]] = Recent(20.0)
_draws: Recent[list[Item]] = Recent(60.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes:
        product: whose parts.
        line: only this one's; '': all.
        lot: only this one's; '': all.
        kind: `open`, or `golden` for parts that want a second person.
        me: who asks.
    """

    product: str
    line: str
    lot: str
    kind: str
    me: str


def queue(engine: Engine, asked: Asked, claimed: set[PassName]) -> list[Waiting]:
    """The next parts, the most useful first; what others look at, `claimed`, comes last."""
    product, line, lot = asked.product, asked.line, asked.lot
    if asked.kind == "golden":
        with reading(engine) as connection:
            names = [one.name for one in golden.for_a_second(connection, product, asked.me)]
    else:
        drawn = _drawn(engine, product, line, lot)
        mine = set(drawn)
        others = [one for one in _open(engine, product, line, lot) if one not in mine]
        names = mixed(others, drawn, seed=str(drawn[0]) if drawn else "")
    names = with_claimed_last(names, claimed)[:SHOWN]
    with reading(engine) as connection:
        return list(waiting.parts_of(connection, names).values())


def _open(engine: Engine, product: str, line: str, lot: str) -> list[PassName]:
    """Open parts, the most useful first.

    Their order serves for a while, so that a decision does not wait for it to be found.
    """

    def find() -> list[PassName]:
        with reading(engine) as connection:
            return _ordered(connection, engine, product, line, lot)

    asked = (product, line, lot)
    left = _still_open(engine, _orders.get(engine, asked, find)[:_KEPT])
    if len(left) < SHOWN:
        left = _still_open(engine, _orders.get(engine, asked, find, anew=True)[:_KEPT])
    return left


def _still_open(engine: Engine, names: Sequence[PassName]) -> list[PassName]:
    with reading(engine) as connection:
        return list(waiting.parts_of(connection, names, still_open=True))


def _drawn(engine: Engine, product: str, line: str, lot: str) -> list[PassName]:
    """Of the audit sample, in its shuffled order. A lot is asked for to release it: then none.

    To find the few that nobody answered, all that were drawn are gone through: once a minute.
    """
    if lot:
        return []

    def find() -> list[Item]:
        since = datetime.now(UTC) - timedelta(days=SAMPLE_DAYS)
        found = items.unanswered(engine, product, _DRAWN, since=since)
        return [one for one in found if one.pictures]

    found = _draws.get(engine, product, find)
    with reading(engine) as connection:
        left = items.still_unanswered(connection, [one.id for one in found])
    return [one.name for one in found if one.id in left and line in ("", one.line)]


def _ordered(
    connection: Connection, engine: Engine, product: str, line: str, lot: str
) -> list[PassName]:
    found = waiting.open_parts(connection, product, line=line, lot=lot, limit=_CANDIDATES)
    found += waiting.open_pictures(connection, product, line=line, lot=lot)
    parts = list({one.name: one for one in found}.values())
    pictures = pictures_of(connection, parts)
    in_lot = waiting.open_by_lot(connection, product, sorted({one.lot for one in parts}))
    vectors = _vectors(connection, pictures, _fingerprint(engine, product))
    candidates = [_candidate(one, pictures[one.name], in_lot, vectors) for one in parts]
    return [parts[place].name for place in useful_order(candidates, _KEPT)]


def _fingerprint(engine: Engine, product: str) -> str | None:
    version = deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    return None if info is None else info.fingerprint


def _vectors(
    connection: Connection, pictures: Mapping[PassName, Sequence[Seen]], fingerprint: str | None
) -> dict[UUID, bytes]:
    looked_at = [worst.id for seen in pictures.values() if (worst := worst_of(seen)) is not None]
    return vectors_of(connection, looked_at, fingerprint)


def worst_of(pictures: Sequence[Seen]) -> Seen | None:
    """The picture that the model was least sure of."""
    return min(pictures, key=lambda one: one.confidence or 0.0, default=None)


def _candidate(
    part: Waiting,
    pictures: Sequence[Seen],
    in_lot: Mapping[str, int],
    vectors: Mapping[UUID, bytes],
) -> Candidate:
    worst = worst_of(pictures)
    stored = None if worst is None else vectors.get(worst.id)
    return Candidate(
        open_in_lot=in_lot.get(part.lot, 0),
        novel=any(one.reason == Reason.NOVEL for one in pictures),
        confidence=None if worst is None else worst.confidence,
        vector=None if stored is None else np.frombuffer(stored, "<f2").astype(np.float64),
    )
