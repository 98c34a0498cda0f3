"""A message that takes long says how far it is while it is worked on; Flower shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from celery.events.state import State

from tests.acceptance.events import events
from tests.acceptance.live import Live, ids_of, message


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # which database it is makes no difference here


def test_a_message_that_takes_seconds_tells_of_its_progress(plant: Live) -> None:
    plant.worker(LINEWATCH_DECODE_THREADS="1")
    large = plant.picture(size=2500)  # a quarter of a second to decode, on a quiet machine
    broken = plant.picture()
    broken.write_bytes(broken.read_bytes()[:500])
    long, short = message(*[large] * 31, broken, *[large] * 32), message(plant.picture(), broken)

    with events(plant) as heard:

        def of(task: str) -> list[dict[str, Any]]:
            return [event for event in list(heard) if event.get("uuid") == task]

        def ended(task: str) -> bool:
            return any(event["type"] == "task-succeeded" for event in of(task))

        quick = plant.enqueue(short)
        plant.until(lambda: ended(quick), 30, "the end of the short message")
        slow = plant.enqueue(long)
        plant.until(lambda: ended(slow), 120, "the end of the long message")

    assert len(plant.wait_for(ids_of(long))) == 64
    assert "task-progress" not in {event["type"] for event in of(quick)}
    shown, told = State(), []
    for event in of(slow):
        shown.event(dict(event))
        task = shown.tasks[slow]
        if event["type"] == "task-progress":
            assert task.state == "PROGRESS"
            told.append(task.result)
    assert told, "it took longer than a second"
    numbers = []
    for text in told:
        found = re.fullmatch(r"(\d+) of 64: (\d+) review( · 1 rejected)?", text)
        assert found, text
        done, review, rejected = int(found[1]), int(found[2]), bool(found[3])
        assert done == review + rejected
        numbers.append(done)
    assert numbers == sorted(set(numbers)), "each says more than the one before"
    assert (task.state, task.result) == ("SUCCESS", repr("63 review · 1 rejected"))
