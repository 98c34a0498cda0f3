"""The history checker: what producers handed over, against what is stored, counted and told.

Every fault ends with `check`. It holds the promise to its letter: each accepted picture is one
row, judged, rejected or dead-lettered; the roll-up says what a recount says; no receipt speaks of
what is not committed; nothing is on its way any more. Where a champion serves, it judged all that
was judged, and said the same of every picture of one part, before the fault and after.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from db.base import table_of
from db.inspections.inspections import outcomes
from db.inspections.records import Outcome
from db.inspections.rollup import discrepancies
from db.session import reading
from db.tables import DeadLetter, Inspection
from producer.contract import Receipt, Verdict, receipts_key
from producer.spool import Spool
from tests.acceptance.live import Live

SETTLE_S = 30.0


@dataclass(frozen=True, slots=True)
class History:
    """How the accepted pictures ended. `duplicated` were accepted or decided more than once."""

    accepted: int
    judged: int
    rejected: int
    dead_lettered: int
    lost: int
    duplicated: int


def check(plant: Live, accepted: Sequence[UUID], *, settle_s: float = SETTLE_S) -> History:
    """Compare the pictures that were accepted with what became of them.

    Args:
        plant: the system, its workers running or not.
        accepted: the ids that `submit` returned, or that messages held.
        settle_s: how long acknowledgements and receipts that follow a commit may take.

    Raises:
        AssertionError: the promise is broken; says how, and for which pictures.
    """
    settle(plant, settle_s)
    receipts = list(_receipts(plant))
    found = outcomes(plant.engine, accepted)
    history = _history(accepted, found, receipts)
    lost = [id_ for id_ in accepted if id_ not in found]
    assert not lost, f"{len(lost)} of {len(accepted)} accepted pictures have no row: {_few(lost)}"
    twice = [id_ for id_, count in Counter(accepted).items() if count > 1]
    assert not twice, f"{len(twice)} ids were given to more than one picture: {_few(twice)}"
    parts = history.judged + history.rejected + history.dead_lettered
    assert history.accepted == parts, f"accepted is not the sum of its parts: {history}"
    _check_receipts(plant, receipts)
    _check_letters(plant, [id_ for id_ in found if found[id_].verdict is Verdict.DEAD_LETTER])
    if plant.champion is not None:
        _check_judgement(plant, [found[id_] for id_ in found if found[id_].verdict.judged])
    wrong = discrepancies(plant.engine, plant.settings.timezone)
    assert not wrong, f"roll-up and recount differ, {{key: (rolled up, recounted)}}: {wrong}"
    return history


def settle(plant: Live, timeout_s: float = SETTLE_S) -> None:
    """Wait until nothing is on its way; fails with what still is, if for long none gets less."""
    fewest, deadline = None, 0.0
    while left := _on_its_way(plant):
        total = sum(left.values())
        if fewest is None or total < fewest:
            fewest, deadline = total, time.monotonic() + timeout_s
        assert time.monotonic() < deadline, f"for {timeout_s} s there are still {left}"
        time.sleep(0.05)


def _on_its_way(plant: Live) -> dict[str, int]:
    counts = {
        "messages in the queue": plant.waiting(),
        "messages not acknowledged": plant.held(),
        "messages indexed as not acknowledged": int(plant.redis.zcard("unacked_index")),
        "pictures in spools": sum(_spooled(plant)),
    }
    return {what: count for what, count in counts.items() if count}


def _spooled(plant: Live) -> Iterator[int]:
    for path in plant.settings.spool_folder.rglob("*.db"):
        spool = Spool(path)
        try:
            yield spool.count()
        finally:
            spool.close()


def _history(
    accepted: Sequence[UUID], found: dict[UUID, Outcome], receipts: Sequence[Receipt]
) -> History:
    """Counts. Two receipts that name different moments tell of a picture decided twice."""
    moments = defaultdict(set)
    for receipt in receipts:
        moments[receipt.id].add(receipt.decided_at)
    verdicts = [found[id_].verdict for id_ in found]
    decided_twice = {id_ for id_ in accepted if len(moments[id_]) > 1}
    accepted_twice = {id_ for id_, count in Counter(accepted).items() if count > 1}
    return History(
        accepted=len(accepted),
        judged=sum(verdict.judged for verdict in verdicts),
        rejected=verdicts.count(Verdict.REJECTED),
        dead_lettered=verdicts.count(Verdict.DEAD_LETTER),
        lost=sum(id_ not in found for id_ in accepted),
        duplicated=len(decided_twice | accepted_twice),
    )


def _receipts(plant: Live) -> Iterator[Receipt]:
    """Those that cameras of this test saw, and those that nobody has read yet."""
    yield from list(plant.receipts)
    for key in plant.redis.scan_iter(receipts_key("*")):
        for line in plant.redis.lrange(key, 0, -1):
            yield Receipt.model_validate_json(line)


def _check_receipts(plant: Live, receipts: Sequence[Receipt]) -> None:
    """A receipt may be late or come twice, but it says what is committed, word for word."""
    stored = outcomes(plant.engine, {receipt.id for receipt in receipts})
    for receipt in receipts:
        assert receipt.id in stored, f"a receipt for what was never committed: {receipt}"
        row = stored[receipt.id]
        told = (receipt.verdict, receipt.reason, receipt.defect_class, receipt.model_version)
        kept = (row.verdict, row.reason, row.defect_class, row.model_version)
        assert told == kept, f"receipt and row of {receipt.id} differ: {told} and {kept}"
        assert receipt.decided_at == row.decided_at, (
            f"{receipt.id} was decided twice: receipt {receipt.decided_at}, row {row.decided_at}"
        )


def _check_letters(plant: Live, buried: Sequence[UUID]) -> None:
    """What a dead-lettered picture's message said must have been kept."""
    if not buried:
        return
    table = table_of(DeadLetter)
    with reading(plant.engine) as connection:
        letters = connection.execute(select(table.c.image_id, table.c.payload)).all()
    about = {letter.image_id for letter in letters}
    # An id may be written in any of the forms that UUID reads; its digits are in all of them.
    texts = "\n".join(letter.payload.lower().replace("-", "") for letter in letters)
    silent = [id_ for id_ in buried if id_ not in about and id_.hex not in texts]
    assert not silent, f"{len(silent)} dead-lettered pictures without a letter: {_few(silent)}"


def _check_judgement(plant: Live, judged: Sequence[Outcome]) -> None:
    """The champion gave every verdict, and a part that was shown again got the one it had."""
    others = Counter(o.model_version for o in judged if o.model_version != plant.champion)
    assert not others, f"{sum(others.values())} verdicts are not of {plant.champion}: {others}"
    c = table_of(Inspection).c
    of_a_model = select(c.image_uri, c.verdict, c.defect_class).where(c.model_version.is_not(None))
    said = defaultdict(set)
    with reading(plant.engine) as connection:
        for uri, verdict, defect_class in connection.execute(of_a_model.distinct()):
            if (part := plant.part_of.get(uri)) is not None:
                said[part].add((verdict, defect_class))
    differ = {
        part: sorted(map(str, verdicts)) for part, verdicts in said.items() if len(verdicts) > 1
    }
    assert not differ, f"the same part was judged differently: {differ}"


def _few(ids: Sequence[UUID]) -> str:
    return json.dumps([str(id_) for id_ in ids[:5]]) + (" …" if len(ids) > 5 else "")
