"""The learning loop under load: parts stream while a challenger is trained, gated, promoted and
rolled back. Nothing is lost, nothing is judged twice, and each row names the model in force.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from db.labels import labels
from db.models import deployments, gate_decisions, runs
from db.models.gate_decisions import DecisionRow
from linewatch.plant import environment
from linewatch.services import python_command
from tests.acceptance.faults.history import check
from tests.acceptance.faults.stream import Stream
from tests.acceptance.faults.trainer import PRODUCT, ask_for_training, finished_run
from tests.acceptance.live import Live
from tests.support.committed import committed

pytestmark = pytest.mark.timeout(3600)

TAKE_OVER_S = 3.0
STALL_S = 90.0
AHEAD = 48  # parts without a receipt
KINDS = ("good", "scratch")


class Parts(Stream):
    """A stream of parts that anyone can tell apart: dark ones are good, bright ones scratched."""

    def __init__(self, plant: Live, rate: float) -> None:
        super().__init__(plant, rate)
        self._stock = [picture(plant, KINDS[number % 2]) for number in range(8)]

    def _run(self) -> None:
        """Submit, but never far ahead of the receipts: a busy machine makes the stream slower."""
        while not self._stop.wait(self._pause_s):
            if len(self.accepted) - len(self._plant.receipts) < AHEAD:
                first = len(self.accepted)
                burst = [self._stock[(first + n) % len(self._stock)] for n in range(self._images)]
                self.accepted += self.camera.submit_many(burst)

    def label(self, plant: Live, start: int, count: int) -> None:
        """Say what these parts are; a picture's place in the stream tells."""
        rows = [
            labels.NewLabel(inspection_id=id_, label=KINDS[(start + n) % 2], labelled_by="ann")
            for n, id_ in enumerate(self.accepted[start : start + count])
        ]
        assert len(rows) == count
        committed(plant.engine, labels.add_labels, rows)

    def reach(self, plant: Live, count: int) -> None:
        """Wait until this many parts have their receipts, for as long as some keep coming."""
        while (before := len(plant.receipts)) < count:
            plant.until(
                lambda n=before: len(plant.receipts) > n, STALL_S, f"receipt after {before}"
            )


def picture(plant: Live, kind: str) -> Path:
    level = {"good": 60, "scratch": 190}[kind]
    noise = np.random.default_rng().integers(-30, 30, (64, 64, 3))
    path = plant.picture(size=64)
    Image.fromarray((level + noise).astype(np.uint8)).save(path)
    return path


def test_the_loop_turns_while_parts_stream(plant: Live) -> None:
    turn(plant, parts=200, rate=40)  # times nothing: the machine may be busy with other tests


@pytest.mark.slow
def test_the_loop_turns_while_2000_parts_stream(plant: Live) -> None:
    slowest_s = turn(plant, parts=2000, rate=40)
    assert slowest_s <= TAKE_OVER_S


def turn(plant: Live, *, parts: int, rate: float) -> float:
    """Stream `parts` parts; meanwhile: first model, challenger, gate, swap, rollback.

    Returns:
        The longest time from a deployment to the first row of its version, in seconds.
    """
    plant.worker("inspect", LINEWATCH_MODEL_POLL_S="0.5")
    plant.worker(
        "train",
        queues="train",
        LINEWATCH_AUTO_PROMOTE="gate",
        LINEWATCH_GATE_LEAST_DEFECTS="4",  # as many scratched pictures as there are different ones
        LINEWATCH_GATE_ESCAPE_MARGIN="0.6",
        LINEWATCH_WORKER_THREADS="1",
    )
    with Parts(plant, rate) as stream:
        stream.reach(plant, parts // 10)
        first = first_model(plant, stream)
        stream.reach(plant, parts * 3 // 10)

        stream.label(plant, 20, 40)
        ask_for_training(plant)
        decision = decided(plant, 3)  # after the first model's: by the run, and by the person
        assert decision.outcome == "passed", decision.reasons
        assert decision.champion == first
        assert decision.figures["folds"]["pictures"] >= 20
        challenger = decision.challenger
        promoted_s = swapped_to(plant, challenger)
        stream.reach(plant, parts * 6 // 10)

        command(plant, "rollback", PRODUCT, "--why", "acceptance test")
        rolled_back_s = swapped_to(plant, first)
        stream.reach(plant, parts)
        stream.settle(timeout_s=120)
    plant.group.check()
    found = check(plant, stream.accepted)
    assert (found.lost, found.duplicated, found.rejected, found.dead_lettered) == (0, 0, 0, 0)
    assert found.accepted >= parts
    by_version = Counter(o.model_version for o in plant.outcomes(stream.accepted).values())
    assert set(by_version) == {None, first, challenger}
    assert_in_turns(plant, stream.accepted, [None, first, challenger, first])
    print(
        f"\n{plant.engine.dialect.name}: accepted {found.accepted}, judged {found.judged}, lost "
        f"{found.lost}, duplicated {found.duplicated}; by version {dict(by_version)}; first row "
        f"of the challenger {promoted_s:.2f} s after its promotion, of the old one "
        f"{rolled_back_s:.2f} s after the rollback"
    )
    return max(promoted_s, rolled_back_s)


def first_model(plant: Live, stream: Parts) -> str:
    """Few labels, a first model, and a person's word for it."""
    stream.label(plant, 0, 12)
    ask_for_training(plant)
    run = finished_run(plant, 1)
    assert run.state == "succeeded", run.error
    assert run.model_version is not None
    assert decided(plant, 1).outcome == "first"
    assert deployments.champion(plant.engine, PRODUCT) is None  # the gate promotes no first model
    command(plant, "promote", run.model_version, "--why", "acceptance test")
    swapped_to(plant, run.model_version)
    return run.model_version


def decided(plant: Live, number: int) -> DecisionRow:
    """The `number`-th decision, counted from 1."""
    plant.until(
        lambda: len(gate_decisions.newest(plant.engine, PRODUCT)) >= number,
        60,
        f"decision {number} ({runs.latest_run(plant.engine, PRODUCT)})",
    )
    return gate_decisions.newest(plant.engine, PRODUCT)[-number]


def swapped_to(plant: Live, version: str) -> float:
    """Wait for a verdict of `version`; how long after its deployment it was decided, in s."""
    plant.until(lambda: plant.receipts[-1].model_version == version, 30, f"verdict of {version}")
    since = next(d.since for d in deployments.history(plant.engine, PRODUCT))
    decided_at = min(
        r.decided_at for r in plant.receipts if r.model_version == version and r.decided_at >= since
    )
    return (decided_at - since).total_seconds()


def assert_in_turns(plant: Live, ids: list[UUID], expected: list[str | None]) -> None:
    """In order of their decisions, the rows' versions change exactly where they should."""
    rows = sorted(plant.outcomes(ids).values(), key=lambda row: row.decided_at)
    turns = [rows[0].model_version]
    turns += [b.model_version for a, b in pairwise(rows)
              if a.model_version != b.model_version]  # fmt: skip
    assert turns == expected


def command(plant: Live, *arguments: str) -> str:
    """Run `linewatch models …`; what it says."""
    done = subprocess.run(
        python_command("linewatch", "models", *arguments),
        env={**os.environ, **environment(plant.settings)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
