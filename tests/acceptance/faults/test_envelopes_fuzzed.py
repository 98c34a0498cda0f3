"""A stream of hostile envelopes against a real worker, in between good pictures.

Some seconds of it in `make test`; `LINEWATCH_FUZZ_SECONDS=600` (or `make faults`) runs it for ten
minutes. The worker goes on judging, in the memory that it has.

What counts is resident memory after a warm-up. The C library keeps what was freed, for each thread,
and torch keeps a plan for each number of pictures that it meets, with its memory. So a worker
grows, with the same in use, until batches of each size have come and each thread has had its
pictures. The long run begins with a batch of each size, one at a time, then full ones, and measures
from its middle: on a busy machine it takes that long.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from benchmarks.memory_use import memory_of
from producer.contract import MAX_IMAGES, SigningKeys
from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import LONG
from tests.acceptance.faults.results import noted
from tests.acceptance.live import Live, ids_of, message
from tests.support.hostile import hostile

pytestmark = pytest.mark.timeout(3600)

SECONDS = float(os.environ.get("LINEWATCH_FUZZ_SECONDS", "600" if LONG else "3"))
KEYS = "k:" + "s" * 40
BATCH, MOST_WAITING = 40, 400
MEASURED = SECONDS >= 120
GROWTH_MB = 32 if MEASURED else 512  # one that has just begun is still warming up


@dataclass
class Outsider:
    """Makes entries: good ones, hostile ones, and keeps who wrote what."""

    plant: Live
    keys: SigningKeys
    dice: random.Random
    good: list[UUID] = field(default_factory=list)
    unsigned: list[UUID] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self.picture = self.plant.picture()
        # Another file: what is said of it may be anything, and is no second verdict on the part.
        self.bait = Path(shutil.copy(self.picture, self.picture.with_name("bait.png")))

    def entries(self) -> Iterator[bytes]:
        """A batch of hostile ones and a good one among them."""
        at = self.dice.randrange(BATCH)
        for number in range(BATCH):
            yield hostile(self.dice, self._base)
            if number == at:
                payload = self.keys.sign(message(self.picture, self.picture))
                self.good += ids_of(payload)
                yield _entry(payload)
        self.sent += BATCH

    def warm_up(self) -> None:
        """Have the worker judge batches of each size, and some of as many as a message can have."""
        for count in range(1, self.plant.settings.max_batch + 1):
            self._judged([count])
        self._judged([MAX_IMAGES] * 10)

    def _judged(self, counts: Sequence[int]) -> None:
        """A message of so many pictures each; wait until all are judged."""
        for count in counts:
            payload = self.keys.sign(message(*[self.picture] * count))
            self.good += ids_of(payload)
            self.plant.redis.lpush("inspect", _entry(payload))
        self.plant.wait_for(self.good, 120)

    def _base(self) -> bytes:
        payload = message(self.bait, producer=f"invented-{self.dice.randrange(50)}")
        if self.keys and self.dice.random() < 0.5:
            return _entry(self.keys.sign(payload))
        self.unsigned += ids_of(payload)
        return _entry(payload)


@pytest.mark.parametrize("signed", [True, False], ids=["signatures required", "no signatures"])
def test_a_worker_goes_on_judging_whatever_envelopes_come(plant: Live, signed: bool) -> None:
    seed = int(os.environ.get("LINEWATCH_FUZZ_SEED", time.time_ns() % 10**9))
    print(f"seed {seed}")
    outsider = Outsider(plant, SigningKeys.parse(KEYS if signed else ""), random.Random(seed))
    required = {"LINEWATCH_SIGNING_KEYS": KEYS, "LINEWATCH_REQUIRE_SIGNATURES": "true"}
    worker = plant.worker(**(required if signed else {}))
    if MEASURED:
        outsider.warm_up()
    memory = _attack(plant, outsider, worker.process.pid)
    plant.until(lambda: plant.waiting() == 0, 120, "an empty queue")
    found = plant.wait_for(outsider.good)
    assert worker.process.poll() is None, f"the worker ended; seed {seed}"
    assert all(outcome.verdict.judged for outcome in found.values())
    if signed:
        assert plant.outcomes(outsider.unsigned) == {}
    history = check(plant, outsider.good)
    first, last = memory
    print(f"{outsider.sent} envelopes, {history.accepted} pictures; {first:.0f} to {last:.0f} MB")
    assert last <= first + GROWTH_MB, f"memory grew from {first:.0f} to {last:.0f} MB; seed {seed}"
    what = f"hostile envelopes, signatures {'required' if signed else 'not required'}"
    noted(plant, what, outsider.sent, history, memory_mb=(round(first), round(last)))


def _attack(plant: Live, outsider: Outsider, pid: int) -> tuple[float, float]:
    """Push until the time is over; the worker's memory in MB, in the middle and at last."""
    samples: list[float] = []
    began = time.monotonic()
    while time.monotonic() < began + SECONDS:
        with plant.redis.pipeline(transaction=False) as pipe:
            for item in outsider.entries():
                pipe.lpush("inspect", item)
            pipe.execute()
        plant.until(lambda: plant.waiting() < MOST_WAITING, 60, "progress")
        samples.append(memory_of(pid)["rss_mib"])
    eighth = max(1, len(samples) // 8)
    medians = [
        statistics.median(samples[at : at + eighth]) for at in range(0, len(samples), eighth)
    ]
    print("memory in MB:", " ".join(f"{median:.0f}" for median in medians))
    return medians[len(medians) // 2], medians[-1]


def _entry(payload: object) -> bytes:
    return entry(json.dumps([[payload], {}, {}]).encode(), str(uuid4()))
