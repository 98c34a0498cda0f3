"""DatabaseWait is healthy for a minute, and no longer; a lost deadlock is no outage."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workers.health.metrics_server import MetricsServer
from workers.pipeline import database_wait as module
from workers.pipeline.database_wait import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    UNHEALTHY_AFTER_S,
    DatabaseWait,
)
from workers.pipeline.reply import DrainingError


def test_it_is_a_problem_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    holding = DatabaseWait()
    assert holding.problem is None
    began = time.monotonic()
    now = [began]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    seen: list[str | None] = []

    def action() -> None:
        if len(seen) < 4:
            seen.append(holding.problem)
            now[0] += UNHEALTHY_AFTER_S - 1
            raise PoolTimeoutError

    monkeypatch.setattr(holding, "pause", lambda seconds: True)
    holding.hold(action, 1)
    assert seen[:3] == [None, None, None]  # the first was said before it was held
    assert seen[3] is not None
    assert "verdicts are held for" in seen[3]
    assert (holding.problem, holding.now) == (None, False)


def refused(error: psycopg.Error) -> DBAPIError:
    return DBAPIError("INSERT", {}, error)


@pytest.mark.parametrize(
    ("error", "longest_s"),
    [
        (refused(psycopg.errors.DeadlockDetected("deadlock detected")), FIRST_WAIT_S),
        (refused(psycopg.errors.CannotConnectNow("starting up")), LONGEST_WAIT_S),
    ],
)
def test_who_lost_a_deadlock_tries_again_at_once_however_often(
    monkeypatch: pytest.MonkeyPatch, error: DBAPIError, longest_s: float
) -> None:
    """An outage is waited for longer and longer; here the other transaction is over."""
    holding = DatabaseWait()
    waits: list[float] = []

    def paused(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) < 20

    def action() -> None:
        raise error

    monkeypatch.setattr(holding, "pause", paused)
    with pytest.raises(DrainingError):
        holding.hold(action, 1)
    assert longest_s / 2 <= max(waits) <= longest_s * 1.5  # with jitter


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_ready_and_healthy_are_two_questions() -> None:
    said: dict[str, str | None] = {"problem": None, "unready": "no model"}
    server = MetricsServer(
        CollectorRegistry(),
        problem=lambda: said["problem"],
        unready=lambda: said["unready"],
        address="127.0.0.1",
        port=0,
    )
    server.start()
    try:
        assert answer(f"{server.url}/healthz") == (200, "healthy\n")
        assert answer(f"{server.url}/readyz") == (503, "no model\n")
        said.update(problem="held", unready=None)
        assert answer(f"{server.url}/healthz") == (503, "held\n")
        assert answer(f"{server.url}/readyz") == (200, "ready\n")
        assert answer(f"{server.url}/")[0] == 404
    finally:
        server.stop()
