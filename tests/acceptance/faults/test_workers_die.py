"""Workers that are killed, frozen and stopped while pictures stream in."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.inspections.inspections import existing
from linewatch.services import Service
from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import LONG, times
from tests.acceptance.faults.results import Recovery, noted
from tests.acceptance.faults.sqlite_lock import locked
from tests.acceptance.faults.stream import Stream
from tests.acceptance.live import PATIENCE, Live, ids_of, kill, message
from tests.support.freezing import freeze

pytestmark = pytest.mark.timeout(3600)

HANDED_BACK_S, JUDGED_AGAIN_S = 2.0, 30.0  # what is promised, see docs/promise.md

STEPS = {
    "receive": "killed when received",
    "decode": "killed when decoded",
    "infer": "killed when inferred",
    "commit": "killed when committed, before the receipt",
    "receipt": "killed after the receipt, before the acknowledgement",
}


def test_sigkill_at_random_moments(plant: Live) -> None:
    """Two workers; one of them is killed again and again, and started again.

    The other one goes on: what has to come back is what the killed one held.
    """
    dice = random.Random(1)
    kills = times(short=2, long=100)  # on each of the two databases
    workers: dict[str, Service] = {name: plant.worker(name) for name in ("a", "b")}
    with Stream(plant, rate=40) as stream:
        for _ in range(kills):
            name = dice.choice(sorted(workers))
            time.sleep(dice.uniform(0.2, 2.0))
            kill(workers[name])
            died, held = time.monotonic(), _held(plant)
            plant.group.services.remove(workers[name])
            workers[name] = plant.worker(name)
        plant.until(lambda: existing(plant.engine, held) == held, 90, "the held pictures")
        recover_s = time.monotonic() - died
        recovery = replace(stream.settle(timeout_s=180), recover_s=recover_s)
    found = check(plant, stream.accepted)
    noted(plant, "worker SIGKILL at a random moment", kills, found, recovery)


@pytest.mark.parametrize(
    "step", [s if s == "commit" else pytest.param(s, marks=pytest.mark.slow) for s in STEPS]
)
def test_sigkill_at_a_named_step(plant: Live, tmp_path: Path, step: str) -> None:
    flag = tmp_path / "killed"
    killer = {"LINEWATCH_TEST_KILL_AT": f"{step}:2:{flag}"}
    doomed = plant.worker("doomed", include="tests.acceptance.faults.step_killer", **killer)
    with Stream(plant, rate=40) as stream:
        doomed.process.wait(timeout=60 * PATIENCE)
        died = time.monotonic()
        assert doomed.process.returncode == -signal.SIGKILL
        plant.group.services.remove(doomed)
        held = _held(plant)
        plant.worker("heir")
        plant.until(lambda: existing(plant.engine, held) == held, 90, "the held pictures")
        recover_s = time.monotonic() - died
        stream.settle(timeout_s=90)
    assert recover_s <= JUDGED_AGAIN_S * (1 if LONG else PATIENCE)
    found = check(plant, stream.accepted)
    noted(plant, f"worker {STEPS[step]}", 1, found, recover_s)


def test_no_message_is_lost_on_its_way_into_a_worker(plant: Live) -> None:
    """Messages that nobody sends again: what Redis gave to a worker that dies comes back."""
    dice = random.Random(3)
    kills = times(short=2, long=50)
    many = times(short=100, long=200) * kills
    payloads = [message(plant.picture()) for _ in range(many)]
    missing = [message(plant.pictures / "missing.png") for _ in range(4 * many)]
    ids = [id_ for payload in payloads + missing for id_ in ids_of(payload)]
    doomed = plant.worker("d", include="tests.acceptance.faults.killed_taking", ready=False)
    _push(plant, dice.sample(payloads + missing, len(ids)))
    doomed.process.wait(timeout=60 * PATIENCE)
    assert doomed.process.returncode == -signal.SIGKILL
    plant.group.services.remove(doomed)
    assert plant.held() > 0
    slowest_s, left = 0.0, 0
    for last in (False,) * kills + (True,):
        died, seen = time.monotonic(), len(plant.outcomes(ids))
        worker = plant.worker("heir" if last else "w")
        plant.until(lambda s=seen: len(plant.outcomes(ids)) > s, 60, "a picture that is judged")
        slowest_s = max(slowest_s, time.monotonic() - died)
        if not last:
            time.sleep(dice.uniform(0.0, 0.5))
            kill(worker)
            plant.group.services.remove(worker)
            left = plant.waiting() + plant.held()
    while more := plant.waiting() + plant.held():
        plant.until(lambda n=more: plant.waiting() + plant.held() < n, 120, "progress")
    recovery = Recovery(slowest_s, left, time.monotonic() - died)
    found = check(plant, ids)
    noted(
        plant,
        "worker SIGKILL while it takes messages that nobody sends again",
        kills + 1,
        found,
        recovery,
    )


def _push(plant: Live, payloads: list[dict[str, Any]]) -> None:
    """Enqueue messages as a client in another language would, all at once."""
    entries = []
    for payload in payloads:
        body = json.dumps([[payload], {}, {}]).encode()
        entries.append(entry(body, str(uuid4())))
    plant.redis.lpush("inspect", *entries)


def test_a_frozen_worker_that_wakes_changes_nothing(plant: Live) -> None:
    """SIGSTOP past the visibility timeout: another worker judges; the late write does nothing."""
    rounds = times(short=1, long=5)
    longest_s = 0.0
    frozen = plant.worker("frozen")
    with Stream(plant, rate=40) as stream:
        for _ in range(rounds):
            time.sleep(1)
            with _nobody_writes(plant):
                freeze(frozen.process.pid)
            began = time.monotonic()
            held = _held(plant)
            if len(plant.group.services) == 1:
                plant.worker("other")
            plant.until(lambda held=held: existing(plant.engine, held) == held, 90, "rows")
            longest_s = max(longest_s, time.monotonic() - began)
            frozen.process.send_signal(signal.SIGCONT)
            time.sleep(2)
        stream.settle(timeout_s=90)
    found = check(plant, stream.accepted)
    plant.group.check()
    noted(
        plant, "worker SIGSTOP past the visibility timeout, then SIGCONT", rounds, found, longest_s
    )


def test_sigterm_hands_back_what_is_not_judged(plant: Live) -> None:
    """A warm stop under load: the batch is finished, the rest is in the queue within 2 s."""
    rounds = times(short=1, long=10)
    slowest_s = 0.0
    with Stream(plant, rate=200) as stream:
        for number in range(rounds):
            worker = plant.worker(f"w{number}")
            plant.until(lambda: plant.held() > 0, 30, "messages in the worker's hands")
            time.sleep(0.5)
            worker.process.terminate()
            began = time.monotonic()
            plant.until(lambda: plant.held() == 0, 30, "messages handed back")
            slowest_s = max(slowest_s, time.monotonic() - began)
            assert worker.process.wait(timeout=30 * PATIENCE) == 0
            plant.group.services.remove(worker)
        stream.stop()
        plant.worker("last")
        stream.settle(timeout_s=120)
    assert slowest_s <= HANDED_BACK_S * (1 if LONG else PATIENCE)
    found = check(plant, stream.accepted)
    noted(
        plant,
        "worker SIGTERM under load (recover_s: until the rest is back in the queue)",
        rounds,
        found,
        slowest_s,
    )


def test_a_picture_that_kills_workers_is_dead_lettered_alone(plant: Live, tmp_path: Path) -> None:
    from producer.contract import Reason, Verdict

    poison = plant.picture("poison.png")
    payload = message(*[plant.picture() for _ in range(5)], poison)
    plant.enqueue(payload)
    *innocent, culprit = ids_of(payload)
    began = time.monotonic()
    deaths = _deaths_until_buried(plant, culprit)
    recover_s = time.monotonic() - began
    assert deaths == 3
    found = plant.wait_for([*innocent, culprit])
    assert (found[culprit].verdict, found[culprit].reason) == (Verdict.DEAD_LETTER, Reason.POISON)
    assert all(found[id_].verdict.judged for id_ in innocent)
    history = check(plant, [*innocent, culprit])
    noted(plant, "picture that kills its worker", deaths, history, recover_s)


def test_a_worker_that_stops_is_no_death(plant: Live) -> None:
    """A clean hand-back brings a picture no nearer to being called deadly."""
    large, poison = plant.picture(size=2500), plant.picture("poison.png")
    long, payload = message(*[large] * 12), message(poison)
    (culprit,) = ids_of(payload)
    worker = plant.worker("stopped", LINEWATCH_DECODE_THREADS="1")  # to this one it is harmless
    for each in (long, payload):
        plant.enqueue(each)
    plant.until(lambda: plant.held() == 2, 30, "both messages in its hands")
    worker.process.terminate()
    plant.until(lambda: plant.waiting() == 2, 30, "both messages in the queue")
    assert worker.process.wait(timeout=30 * PATIENCE) == 0
    plant.group.services.remove(worker)
    assert _deaths_until_buried(plant, culprit) == 3
    plant.until(lambda: plant.waiting() + plant.held() == 0, 60, "an empty queue")
    history = check(plant, [*ids_of(long), culprit])
    assert (history.dead_lettered, history.lost) == (1, 0)


def _deaths_until_buried(plant: Live, culprit: UUID) -> int:
    """Start workers that the picture kills until it is a dead letter; returns how many died."""
    deaths = 0
    while len(plant.outcomes([culprit])) == 0:
        worker = plant.worker(f"w{deaths}", include="tests.acceptance.faults.poisoned", ready=False)
        plant.until(
            lambda w=worker: w.process.poll() is not None or plant.outcomes([culprit]) != {},
            60,
            "a death or a dead letter",
        )
        if worker.process.poll() is not None:
            deaths += 1
            plant.group.services.remove(worker)
    return deaths


@contextmanager
def _nobody_writes(plant: Live) -> Iterator[None]:
    """On SQLite a process that freezes inside a write holds the file's lock: a stated limit."""
    if plant.engine.dialect.name != "sqlite":
        yield
        return
    with locked(plant.engine.url.database or ""):
        yield


def _held(plant: Live) -> set[UUID]:
    """The pictures of every message that some worker holds.

    One whose receipt is late was sent again, and is in two messages then.
    """
    import base64
    import json

    held: set[UUID] = set()
    for raw in plant.redis.hvals("unacked"):
        envelope, _exchange, _key = json.loads(raw)
        payload = json.loads(base64.b64decode(envelope["body"]))[0][0]
        held.update(ids_of(payload))
    return held
