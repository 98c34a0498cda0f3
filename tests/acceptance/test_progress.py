"""A message that takes long says how far it is while it is worked on; Flower shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from celery.events.state import State

from tests.acceptance.events import events
from tests.acceptance.live import Live, ids_of, message
from workers.pipeline.progress import PERIOD_S


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # which database it is makes no difference here


def types(events_of_task: list[dict[str, Any]]) -> set[str]:
    return {event["type"] for event in events_of_task}


def runtime(events_of_task: list[dict[str, Any]]) -> float:
    """In seconds, from the start that the worker told to the end that it told."""
    at = {event["type"]: event["timestamp"] for event in events_of_task}
    return float(at["task-succeeded"] - at["task-started"])


def test_a_message_that_takes_seconds_tells_of_its_progress(plant: Live) -> None:
    plant.worker(LINEWATCH_DECODE_THREADS="1")
    large = plant.picture(size=2500)  # a quarter of a second to decode, on a quiet machine
    broken = plant.picture()
    broken.write_bytes(broken.read_bytes()[:500])
    first, short = message(plant.picture()), message(plant.picture(), broken)
    long = message(*[large] * 15, broken, *[large] * 16)
    plant.enqueue(first)
    plant.wait_for(ids_of(first))  # a worker's first picture takes longer than those after it

    with events(plant) as heard:

        def of(task: str) -> list[dict[str, Any]]:
            return [event for event in list(heard) if event.get("uuid") == task]

        def ended(task: str) -> bool:
            return any(event["type"] == "task-succeeded" for event in of(task))

        quick = plant.enqueue(short)
        plant.until(lambda: ended(quick), 30, "the end of the short message")
        slow = plant.enqueue(long)
        plant.until(lambda: ended(slow), 120, "the end of the long message")

    assert len(plant.wait_for(ids_of(long))) == 32
    assert runtime(of(quick)) > PERIOD_S or "task-progress" not in types(of(quick))
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
        found = re.fullmatch(r"(\d+) of 32: (\d+) review( · 1 rejected)?", text)
        assert found, text
        done, review, rejected = int(found[1]), int(found[2]), bool(found[3])
        assert done == review + rejected
        numbers.append(done)
    assert numbers == sorted(set(numbers)), "each says more than the one before"
    assert (task.state, task.result) == ("SUCCESS", repr("31 review · 1 rejected"))
