"""The share that the pictures lie on is slow, hangs, fails, and hangs while a worker stops."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest

from linewatch.plant import environment
from linewatch.services import python_command
from tests.acceptance.faults.history import History, check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.share import Share, shared
from tests.acceptance.faults.stream import Stream
from tests.acceptance.live import PATIENCE, Live, ids_of, kill, message

pytestmark = [pytest.mark.timeout(3600), pytest.mark.slow]

PATIENCE_S = 4  # how long a worker may do nothing before it ends itself
ENDED_WITHIN_S = 25.0  # systemd and Compose kill after 30 s


def troubled(plant: Live, rounds: int, trouble: Callable[[Share], None]) -> tuple[History, float]:
    """Pictures stream in while `trouble` happens; the history, and the slowest recovery, in s."""
    worker = plant.worker(LINEWATCH_STALL_TIMEOUT_S=str(PATIENCE_S))
    slowest_s = 0.0
    # The stream writes its pictures first: the share covers their folder, and is read-only.
    with Stream(plant, rate=10) as stream, shared(plant.pictures) as share:
        for _ in range(rounds):
            seen = len(plant.receipts)
            plant.until(lambda s=seen: len(plant.receipts) > s, 60, "a receipt")
            trouble(share)
            seen, began = len(plant.receipts), time.monotonic()
            plant.until(lambda s=seen: len(plant.receipts) > s, 60, "a receipt")
            slowest_s = max(slowest_s, time.monotonic() - began)
        stream.settle(timeout_s=180)
    plant.group.check()  # it waited; it did not end itself
    assert worker.process.poll() is None
    found = check(plant, stream.accepted)
    assert found.judged == found.accepted, "the pictures are good"
    return found, slowest_s


def test_a_share_that_hangs(plant: Live) -> None:
    """Longer than the watchdog's patience: nobody is to blame, and no picture is."""
    length_s, rounds = times(short=5 * PATIENCE_S, long=30), times(short=1, long=3)

    def hang(share: Share) -> None:
        share.hang()
        time.sleep(length_s)
        share.answer()

    found, slowest_s = troubled(plant, rounds, hang)
    noted(plant, f"pictures' share hangs for {length_s} s", rounds, found, slowest_s)


def test_a_share_that_is_slow(plant: Live) -> None:
    rounds = times(short=1, long=3)

    def slow(share: Share) -> None:
        share.slow(1.0)
        time.sleep(10)
        share.slow(0.0)

    found, slowest_s = troubled(plant, rounds, slow)
    noted(plant, "pictures' share takes 1 s to open a file", rounds, found, slowest_s)


def test_a_share_that_fails_for_a_moment(plant: Live) -> None:
    rounds = times(short=2, long=10)

    def fail(share: Share) -> None:
        share.slow(-1.0)
        time.sleep(0.4)
        share.slow(0.0)

    found, slowest_s = troubled(plant, rounds, fail)
    noted(plant, "pictures' share fails for 0.4 s (ESTALE)", rounds, found, slowest_s)


def test_a_worker_that_is_stopped_while_the_share_hangs(plant: Live) -> None:
    """It gives everything back and ends in time; the next one judges every picture, once."""
    rounds = times(short=1, long=3)
    accepted: list[UUID] = []
    slowest_s = 0.0
    pictures = [plant.picture() for _ in range(24)]
    command = python_command("linewatch", "worker", "--queues", "inspect", "--name", "stopped")
    settings = {**environment(plant.settings), "LINEWATCH_DECODE_THREADS": "3"}
    with shared(plant.pictures) as share:
        for number in range(rounds):
            worker = plant.group.start(f"stopped{number}", command, settings)
            plant.until(lambda w=worker: " ready." in w.log.read_text(), 60, "worker")
            share.hang()
            # The first is read in its task's own thread, which can never be called back; then all
            # decoders wait for the share, and pictures wait for them.
            for burst in (pictures[:1], pictures[1:12], pictures[12:]):
                payload = message(*burst)
                plant.enqueue(payload)
                accepted += ids_of(payload)
                time.sleep(0.5)
            plant.until(lambda: plant.held() == 3, 30, "all messages in its hands")
            began = time.monotonic()
            worker.process.terminate()
            plant.until(lambda: plant.waiting() == 3, 30, "all messages in the queue")
            assert worker.process.wait(timeout=60 * PATIENCE) == 0, "it was told to: no failure"
            slowest_s = max(slowest_s, time.monotonic() - began)
            plant.group.services.remove(worker)
            share.answer()
            plant.worker(f"next{number}")
            plant.wait_for(accepted)
            plant.until(lambda: plant.held() == 0, 30, "acknowledged messages")
            kill(plant.group.services.pop())
    assert slowest_s <= ENDED_WITHIN_S
    found = check(plant, accepted)
    assert found.judged == len(accepted)
    noted(plant, "worker SIGTERM while the pictures' share hangs", rounds, found, slowest_s)
