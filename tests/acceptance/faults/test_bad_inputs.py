"""Some hundred bad inputs: each leaves what it must, and nobody else suffers for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from db.base import table_of
from db.session import reading
from db.tables import DeadLetter
from producer.contract import MAX_IMAGES, Reason, Receipt, Verdict, receipts_key
from tests.acceptance.faults.corpus import JUDGED, Case, cases
from tests.acceptance.faults.corpus_envelopes import envelopes
from tests.acceptance.faults.corpus_messages import Sent, messages
from tests.acceptance.faults.history import check, settle
from tests.acceptance.faults.results import noted
from tests.acceptance.live import Live, ids_of, message

PRODUCER = "corpus"
NEIGHBOURS = 4  # good pictures in each message


def test_each_bad_picture_is_one_row_and_its_neighbours_are_judged(
    shared_plant: Live, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        corpus = list(cases(shared_plant.pictures, tmp_path, stack))
        bad = [case for case in corpus if case.ends != JUDGED]
        assert len(bad) >= 250, "with the messages, far more than 300"
        good = shared_plant.picture("neighbour.png")
        ends: dict[UUID, tuple[str, frozenset[Reason]]] = {}
        for batch in _batches(corpus, MAX_IMAGES - NEIGHBOURS):
            payload = message(*[case.uri for case in batch], *[good] * NEIGHBOURS)
            payload["producer"] = PRODUCER
            for image, case in zip(payload["images"], batch, strict=False):
                image.update(case.fields)
            shared_plant.enqueue(payload)
            expected = [*[(c.name, c.ends) for c in batch], *[("neighbour", JUDGED)] * NEIGHBOURS]
            ends.update(zip(ids_of(payload), expected, strict=True))
        found = shared_plant.wait_for(list(ends), timeout_s=60)
    wrong = {
        name: (found[id_].reason, sorted(allowed))
        for id_, (name, allowed) in ends.items()
        if found[id_].reason not in allowed
    }
    assert not wrong
    for outcome in found.values():
        assert outcome.verdict is _verdict(outcome.reason)
    _check(shared_plant, list(ends), "bad pictures, paths and fields", len(bad))
    assert ends.keys() <= _receipted(shared_plant)


@pytest.mark.parametrize("make", [messages, envelopes])
def test_each_bad_message_is_kept_and_its_pictures_have_rows(shared_plant: Live, make: Any) -> None:
    good = shared_plant.picture("for-messages.png")
    corpus = list(make(good))
    fine = [message(good) for _ in range(NEIGHBOURS)]
    with shared_plant.redis.pipeline(transaction=False) as pipe:
        for sent in corpus:
            pipe.lpush("inspect", sent.entry)
        pipe.execute()
    for payload in fine:
        shared_plant.enqueue(payload)
    neighbours = [id_ for payload in fine for id_ in ids_of(payload)]
    ids = list(dict.fromkeys(id_ for sent in corpus for id_ in sent.ends))
    settle(shared_plant, 60)
    found = shared_plant.outcomes([*ids, *neighbours])
    assert all(found[id_].reason is Reason.NO_MODEL for id_ in neighbours)
    letters = _letters(shared_plant)
    wrong = [
        problem for sent in corpus for problem in _problems(sent, found, _letter_of(sent, letters))
    ]
    assert not wrong, "\n".join(wrong)
    _check(shared_plant, ids + neighbours, f"bad {make.__name__}", len(corpus))


def _problems(sent: Sent, found: Any, letter: bool) -> Iterator[str]:
    if letter is not sent.letter:
        yield f"{sent.name}: {'no' if sent.letter else 'a needless'} dead letter"
    for id_, reason in sent.ends.items():
        ended = found[id_].reason if id_ in found else "nothing"
        if ended is not reason:
            yield f"{sent.name}: {ended} instead of {reason}"


def _batches(corpus: Sequence[Case], size: int) -> Iterator[Sequence[Case]]:
    for start in range(0, len(corpus), size):
        yield corpus[start : start + size]


def _verdict(reason: Reason | None) -> Verdict:
    return Verdict.REVIEW if reason is Reason.NO_MODEL else Verdict.REJECTED


def _check(plant: Live, ids: list[UUID], what: str, inputs: int) -> None:
    plant.group.check()
    found = check(plant, ids)
    assert (found.lost, found.duplicated) == (0, 0)
    noted(plant, what, inputs, found)


def _receipted(plant: Live) -> set[UUID]:
    lines = plant.redis.lrange(receipts_key(PRODUCER), 0, -1)
    return {Receipt.model_validate_json(line).id for line in lines}


def _letters(plant: Live) -> list[tuple[str | None, str]]:
    table = table_of(DeadLetter)
    with reading(plant.engine) as connection:
        return [tuple(row) for row in connection.execute(select(table.c.task_id, table.c.payload))]


def _letter_of(sent: Sent, letters: Sequence[tuple[str | None, str]]) -> bool:
    """The letter bears the task's id, or holds the whole entry, and with it the id."""
    return any(
        sent.task_id in (task_id, payload) or sent.task_id in payload
        for task_id, payload in letters
    )
