"""Camera programs that are killed at each step of a picture's way, from `submit` to its receipt."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from uuid import UUID

import pytest
from sqlalchemy import func, select

from db.base import table_of
from db.session import reading
from db.tables import Inspection
from linewatch.plant import environment
from linewatch.services import python_command
from producer.contract import Receipt
from producer.spool import Spool
from tests.acceptance.faults.history import check
from tests.acceptance.faults.killed_producer import CAMERA, LINE, PRODUCT, STEPS
from tests.acceptance.faults.mode import LONG, times
from tests.acceptance.faults.results import noted
from tests.acceptance.live import Live

pytestmark = pytest.mark.timeout(3600)

SENDING_S = 180


def test_a_producer_killed_at_each_step(plant: Live) -> None:
    """What `submit` returned before the kill is judged, whoever empties the spool afterwards."""
    plant.worker()
    rounds = times(short=1, long=10)
    everything: list[UUID] = []
    steps = list(STEPS) if LONG else list(STEPS)[1::2]
    for step in steps:
        accepted, slowest_s = killed_and_sent(plant, step, rounds)
        everything += accepted
        found = check(plant, accepted)
        noted(plant, f"producer killed {step}", rounds, found, slowest_s)
    assert len(set(everything)) == len(everything)
    # A kill may leave one picture in the spool whose id was never returned; none is made up.
    most = len(everything) + rounds * len(steps)
    assert len(everything) <= row_count(plant) <= most


def killed_and_sent(plant: Live, step: str, rounds: int) -> tuple[list[UUID], float]:
    """The ids that were accepted before the kills, and how long emptying the spool took, in s."""
    accepted: list[UUID] = []
    slowest_s = 0.0
    for number in range(rounds):
        accepted += killed_at(plant, step, nth=2 + number)
        began = time.monotonic()
        if number % 2:
            the_next_program(plant)
        else:
            flush(plant)
        slowest_s = max(slowest_s, time.monotonic() - began)
    assert accepted, f"nothing was accepted before the program died {step}"
    told = receipts_in_spool(plant)
    assert set(accepted) <= {receipt.id for receipt in told}, "cleared without a receipt"
    plant.receipts[:] = told  # for the history checker
    return accepted, slowest_s


def killed_at(plant: Live, step: str, nth: int) -> list[UUID]:
    """Run a camera program until it dies at the nth time of a step; the ids it printed."""
    module = "tests.acceptance.faults.killed_producer"
    command = python_command(module, step, str(nth), str(plant.picture(size=64)))
    done = subprocess.run(
        command, env=environment_of(plant), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return [UUID(line) for line in done.stdout.split()]


def flush(plant: Live) -> None:
    """`linewatch spool flush`, until every receipt is there."""
    limit = ("--wait", "--timeout", str(SENDING_S))
    done = subprocess.run(
        python_command("linewatch", "spool", "flush", *limit),
        env=environment_of(plant),
        capture_output=True,
        text=True,
        timeout=2 * SENDING_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def the_next_program(plant: Live) -> None:
    """The camera program is started again, on the same spool."""
    with plant.camera(line=LINE, camera=CAMERA, product=PRODUCT) as camera:
        assert camera.wait(SENDING_S), camera.status()


def receipts_in_spool(plant: Live) -> list[Receipt]:
    """Every receipt that cleared a picture of the killed program's spool."""
    spool = Spool(plant.settings.spool_folder / f"{LINE}@{CAMERA}.db")
    with spool.read() as db:
        lines = db.execute("SELECT receipt FROM receipts").fetchall()
    spool.close()
    return [Receipt.model_validate_json(line) for (line,) in lines]


def row_count(plant: Live) -> int:
    with reading(plant.engine) as connection:
        query = select(func.count()).select_from(table_of(Inspection))
        return int(connection.execute(query).scalar_one())


def environment_of(plant: Live) -> dict[str, str]:
    return {**os.environ, **environment(plant.settings)}
