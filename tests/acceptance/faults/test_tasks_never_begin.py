"""Messages that kill each worker before their task begins, or are held and never become one."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from db.inspections import dead_letters, suspects
from producer.contract import Reason
from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.faults.deadly_message import DEADLY
from tests.acceptance.live import Live, ids_of, message
from workers.broker.poison import MAX_DEATHS

pytestmark = pytest.mark.timeout(900)

INCLUDE = "tests.acceptance.faults.deadly_message"


def push(plant: Live, payload: object, *, deadly: bool = False) -> str:
    """Enqueue a message; the first pushed is the first taken. Returns its id."""
    task_id = f"{DEADLY if deadly else ''}{uuid4()}"
    body = json.dumps([[payload], {}, None]).encode()
    plant.redis.lpush("inspect", entry(body, task_id))
    return task_id


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "fate", ["crash", pytest.param("kill", marks=SLOW), pytest.param("kill-pool", marks=SLOW)]
)
def test_one_that_kills_every_worker_is_a_dead_letter_and_its_neighbours_are_judged(
    plant: Live, fate: str
) -> None:
    neighbours = [message(plant.picture()) for _ in range(6)]
    ids = [id_ for payload in neighbours for id_ in ids_of(payload)]
    for payload in neighbours[:3]:
        push(plant, payload)
    # It shows no pictures: nobody could count these.
    deadly = push(plant, {"version": 1, "pictures": "unreadable"}, deadly=True)
    for payload in neighbours[3:]:
        push(plant, payload)
    deaths = 0
    while not dead_letters.newest(plant.engine):
        assert deaths <= MAX_DEATHS, "it goes on killing workers"
        worker = plant.worker(f"w{deaths}", include=INCLUDE, ready=False, LINEWATCH_TEST_FATE=fate)
        plant.until(
            lambda w=worker: w.process.poll() is not None or dead_letters.newest(plant.engine),
            60,
            "a death or a dead letter",
        )
        if worker.process.poll() is not None:
            deaths += 1
            plant.group.services.remove(worker)
    assert deaths == MAX_DEATHS
    (letter,) = dead_letters.newest(plant.engine)
    assert (letter.reason, deadly in letter.payload) == (Reason.POISON, True)
    found = plant.wait_for(ids)
    assert {str(outcome.verdict) for outcome in found.values()} <= {"pass", "defect", "review"}
    plant.until(lambda: plant.waiting() + plant.held() == 0, 30, "an empty queue")
    plant.until(lambda: suspects.total(plant.engine) == 0, 30, "nobody under suspicion")


@pytest.mark.parametrize("to_the_end", [False, pytest.param(True, marks=SLOW)])
def test_those_that_never_become_tasks_go_back_and_end_as_dead_letters(
    plant: Live, to_the_end: bool
) -> None:
    """As many as the worker can hold: it would take nothing any more, and look idle."""
    deadly = [push(plant, {"version": 1, "number": n}, deadly=True) for n in range(4)]
    worker = plant.worker(
        include=INCLUDE,
        LINEWATCH_TEST_FATE="leak",
        LINEWATCH_WORKER_THREADS="4",
        LINEWATCH_TASK_BEGIN_TIMEOUT_S="6",
        LINEWATCH_STALL_TIMEOUT_S="600",  # three rounds take longer than a watchdog waits
    )
    good = message(plant.picture())
    push(plant, good)
    plant.wait_for(ids_of(good))
    assert suspects.total(plant.engine) == 4
    if not to_the_end:
        return
    plant.until(lambda: len(dead_letters.newest(plant.engine)) == 4, 120, "four dead letters")
    letters = dead_letters.newest(plant.engine)
    assert {letter.reason for letter in letters} == {Reason.POISON}
    assert {json.loads(letter.payload)["headers"]["id"] for letter in letters} == set(deadly)
    plant.until(lambda: plant.waiting() + plant.held() == 0, 30, "an empty queue")
    plant.until(lambda: suspects.total(plant.engine) == 0, 30, "nobody under suspicion")
    assert worker.process.poll() is None
