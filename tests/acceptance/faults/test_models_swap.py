"""Promotions in the middle of a stream: of good versions, back and forth, and of spoiled ones."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import datetime, timedelta

import pytest

from db import alerts
from db.models import deployments
from linewatch.plant import environment
from linewatch.services import python_command
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import LONG, times
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.stream import Stream
from tests.acceptance.faults.trainer import PRODUCT
from tests.acceptance.faults.versions import SPOILS, new_version, spoiled_version
from tests.acceptance.live import PATIENCE, Live
from tests.support.committed import committed

pytestmark = pytest.mark.timeout(3600)

TAKE_OVER_S = 3.0 * PATIENCE


def promote(plant: Live, version: str) -> None:
    committed(plant.engine, deployments.promote, PRODUCT, version, by="tester", why="test")


def taken_over(plant: Live, version: str) -> float:
    """Wait for a receipt that names the version; how long it took, in s."""
    began = time.monotonic()
    plant.until(
        lambda: bool(plant.receipts) and plant.receipts[-1].model_version == version,
        30,
        f"verdict of {version}",
    )
    return time.monotonic() - began


def test_versions_swapped_in_the_middle_of_a_stream(untrained_plant: Live) -> None:
    plant = untrained_plant
    plant.worker()
    versions = [new_version(plant) for _ in range(3)]
    swaps = times(short=4, long=20)
    slowest_s = 0.0
    with Stream(plant, rate=40) as stream:
        for number in range(swaps):
            promote(plant, versions[number % len(versions)])
            took_s = taken_over(plant, versions[number % len(versions)])
            slowest_s = max(slowest_s, took_s)
        stream.settle(timeout_s=60)
    assert slowest_s <= TAKE_OVER_S
    found = check(plant, stream.accepted)
    plant.group.check()
    assert len({r.model_version for r in plant.receipts} & set(versions)) == 3
    assert_judged_by_champions(plant, stream)
    noted(plant, "model swapped under load", swaps, found, slowest_s)


def assert_judged_by_champions(plant: Live, stream: Stream) -> None:
    """Each row's version was champion when it was decided, or until a moment before."""
    history = deployments.history(plant.engine, PRODUCT)
    begun = sorted((deployed.since, deployed.version) for deployed in history)
    for id_, outcome in plant.outcomes(stream.accepted).items():
        allowed = _in_force_around(begun, outcome.decided_at)
        assert outcome.model_version in allowed, f"{id_}: {outcome}, in force: {allowed}"


def _in_force_around(begun: list[tuple[datetime, str | None]], at: datetime) -> set[str | None]:
    ends = [since for since, _ in begun[1:]] + [datetime.max.replace(tzinfo=at.tzinfo)]
    grace = timedelta(seconds=TAKE_OVER_S)
    allowed = {
        version
        for (since, version), end in zip(begun, ends, strict=True)
        if since <= at and end >= at - grace
    }
    return allowed | ({None} if at - grace <= begun[0][0] else set())


def test_a_spoiled_version_never_serves(untrained_plant: Live) -> None:
    """The command refuses it; promoted past the command, the worker does, and says so."""
    plant = untrained_plant
    plant.worker(**{} if LONG else {"LINEWATCH_MODEL_POLL_S": "0.2"})
    good = new_version(plant)
    spoiled = {how: spoiled_version(plant, how) for how in SPOILS}
    slowest_s = 0.0
    with Stream(plant, rate=times(short=12, long=40)) as stream:
        promote(plant, good)
        taken_over(plant, good)
        since = len(stream.accepted)
        for how, version in spoiled.items():
            assert version in refused_by_command(plant, version), how
            assert deployments.champion(plant.engine, PRODUCT) == good
            promote(plant, version)
            began = time.monotonic()
            plant.until(lambda v=version: v in alert_text(plant), 10, f"alert about {how}")
            slowest_s = max(slowest_s, time.monotonic() - began)
            committed(plant.engine, deployments.rollback, PRODUCT, by="tester", why="test")
            plant.until(lambda: alert_text(plant) == "", 10, "alert that is resolved")
        stream.settle(timeout_s=60)
    plant.group.check()
    found = check(plant, stream.accepted)
    served = {o.model_version for o in plant.outcomes(stream.accepted[since:]).values()}
    assert served == {good}
    noted(plant, "promotion of a spoiled model", len(spoiled), found, slowest_s)


def alert_text(plant: Live) -> str:
    found = alerts.open_alerts(plant.engine)
    return "\n".join(alert.message for alert in found if alert.kind == "model_refused")


def refused_by_command(plant: Live, version: str) -> str:
    """What `linewatch models promote` says when it refuses."""
    done = subprocess.run(
        python_command("linewatch", "models", "promote", version),
        env={**os.environ, **environment(plant.settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1  # a sentence, not a traceback
    return done.stderr
