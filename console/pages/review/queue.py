"""The queue: open parts by usefulness, with the audit sample among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, Engine

from console.pages.review.claims import claims_of, with_claimed_last
from db.audit_sample import items
from db.audit_sample.items import Item
from db.models import deployments, versions
from db.review import golden, waiting
from db.review.pictures import Seen, pictures_of, vectors_of
from db.review.waiting import Waiting
from db.session import reading
from producer.contract import Reason
from quality.audit.draw import PassName
from quality.review_order import Candidate, mixed, useful_order

SHOWN = 12  # parts of the queue on a page
_CANDIDATES = 240
_DRAWN = 60


def queue(
    engine: Engine, product: str, *, line: str, lot: str, kind: str, me: str
) -> list[Waiting]:
    """The next parts, the most useful first; what others look at comes last.

    Args:
        engine: the database.
        product: whose parts.
        line: only this one's; '': all.
        lot: only this one's; '': all.
        kind: `open`, or `golden` for parts that want a second person.
        me: who asks.
    """
    if kind == "golden":
        with reading(engine) as connection:
            found = golden.for_a_second(connection, product, me)
    else:
        drawn = _drawn(engine, product, line, lot)
        with reading(engine) as connection:
            found = _ordered(connection, engine, product, line, lot)
        mine = {one.name for one in drawn}
        seed = str(drawn[0].name) if drawn else ""
        found = mixed([one for one in found if one.name not in mine], drawn, seed=seed)
    names = with_claimed_last([one.name for one in found], claims_of(engine).by_others(me))
    with reading(engine) as connection:
        parts = [waiting.part_of(connection, name) for name in names[:SHOWN]]
    return [one for one in parts if one is not None]


def _drawn(engine: Engine, product: str, line: str, lot: str) -> list[Waiting]:
    """Of the audit sample, in its shuffled order. A lot is asked for to release it: then none."""
    if lot:
        return []
    found = [one for one in items.unanswered(engine, product, _DRAWN) if one.pictures]
    return [_waiting(one) for one in found if line in ("", one.line)]


def _waiting(item: Item) -> Waiting:
    return Waiting(item.name, item.line, "", item.made_at, None)


def _ordered(
    connection: Connection, engine: Engine, product: str, line: str, lot: str
) -> list[Waiting]:
    found = waiting.open_parts(connection, product, line=line, lot=lot, limit=_CANDIDATES)
    found += waiting.open_pictures(connection, product, line=line, lot=lot)
    parts = list({one.name: one for one in found}.values())
    pictures = pictures_of(connection, parts)
    in_lot = waiting.open_by_lot(connection, product, sorted({one.lot for one in parts}))
    vectors = _vectors(connection, pictures, _fingerprint(engine, product))
    candidates = [_candidate(one, pictures[one.name], in_lot, vectors) for one in parts]
    return [parts[place] for place in useful_order(candidates, SHOWN)]


def _fingerprint(engine: Engine, product: str) -> str | None:
    version = deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    return None if info is None else info.fingerprint


def _vectors(
    connection: Connection, pictures: Mapping[PassName, Sequence[Seen]], fingerprint: str | None
) -> Mapping[object, bytes]:
    looked_at = [worst.id for seen in pictures.values() if (worst := worst_of(seen)) is not None]
    return dict(vectors_of(connection, looked_at, fingerprint))


def worst_of(pictures: Sequence[Seen]) -> Seen | None:
    """The picture that the model was least sure of."""
    return min(pictures, key=lambda one: one.confidence or 0.0, default=None)


def _candidate(
    part: Waiting,
    pictures: Sequence[Seen],
    in_lot: Mapping[str, int],
    vectors: Mapping[object, bytes],
) -> Candidate:
    worst = worst_of(pictures)
    stored = None if worst is None else vectors.get(worst.id)
    return Candidate(
        open_in_lot=in_lot.get(part.lot, 0),
        novel=any(one.reason == Reason.NOVEL for one in pictures),
        confidence=None if worst is None else worst.confidence,
        vector=None if stored is None else np.frombuffer(stored, "<f2").astype(np.float64),
    )
