"""`linewatch doctor` fails on what breaks the promise, and warns of what weakens it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from linewatch.doctor import durability_checks
from linewatch.doctor.diagnosis import examine
from linewatch.doctor.findings import Finding, State
from linewatch.settings import Settings
from tests.support.redis_server import RedisServer

MakeSettings = Callable[..., Settings]


def states(findings: Iterable[Finding]) -> dict[str, State]:
    return {finding.check: finding.state for finding in findings}


def doctor(**changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "linewatch", "doctor"],
        env={**os.environ, "COLUMNS": "300", **changes},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def fails(output: str) -> set[str]:
    """The checks in doctor's table that fail."""
    lines = [line.split() for line in output.splitlines()]
    return {" ".join(line[1:3]) for line in lines if line[:1] == ["fail"]}


def test_the_default_configuration_keeps_the_promise(
    settings: Settings, make_settings: MakeSettings, private_redis: RedisServer
) -> None:
    made = make_settings(redis_url=private_redis.url)
    private_redis.client().config_set("maxmemory-policy", "noeviction")
    found = states(examine(made))
    for check in (
        *(f"redis {name}" for name in durability_checks.REDIS),
        "celery",
        "kombu",
        "spool",
    ):
        assert found[check] is State.OK, check
    assert found["redelivery"] is State.OK


def test_a_redis_that_forgets_makes_doctor_fail(
    settings: Settings, make_settings: MakeSettings, private_redis: RedisServer
) -> None:
    make_settings(redis_url=private_redis.url, image_roots=[settings.data_dir])
    client = private_redis.client()
    client.config_set("maxmemory-policy", "allkeys-lru")
    bad = doctor()
    assert bad.returncode == 1
    assert fails(bad.stdout) == {"redis maxmemory-policy"}
    assert "config set maxmemory-policy noeviction" in bad.stdout
    client.config_set("maxmemory-policy", "noeviction")
    good = doctor()
    assert (good.returncode, fails(good.stdout)) == (0, set())


def test_a_redis_without_a_file_is_a_warning(private_redis: RedisServer) -> None:
    """Slow after a restart, yet nothing is lost: the fault tests restart one like that."""
    client = private_redis.client()
    client.config_set("appendonly", "no")
    assert states(durability_checks.redis_settings(client))["redis appendonly"] is State.WARN
    client.config_set("appendonly", "yes")
    assert states(durability_checks.redis_settings(client))["redis appendonly"] is State.OK


def test_a_lease_that_does_not_fit_the_visibility_timeout_is_refused(settings: Settings) -> None:
    done = doctor(LINEWATCH_VISIBILITY_TIMEOUT_S="10", LINEWATCH_LEASE_RENEWAL_S="5")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "lease_renewal_s (5.0) must fit three times into visibility_timeout_s" in done.stderr


def test_a_late_redelivery_is_a_warning(make_settings: MakeSettings) -> None:
    late = make_settings(visibility_timeout_s=3600)
    assert states(durability_checks.redelivery(late)) == {"redelivery": State.WARN}


@pytest.mark.parametrize(
    ("package", "found"),
    [("celery", "5.8.0"), ("celery", "5.5.3"), ("celery", "5.70.0"), ("kombu", "5.6.2")],
)
def test_versions_that_the_faults_were_not_run_with_fail(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, package: str, found: str
) -> None:
    real = durability_checks.version
    monkeypatch.setattr(durability_checks, "version", lambda p: found if p == package else real(p))
    other = next(p for p in durability_checks.PROVED_WITH if p != package)
    assert states(durability_checks.versions(settings)) == {package: State.FAIL, other: State.OK}


def test_a_database_that_acknowledges_too_early_fails(
    postgresql_url: str, make_settings: MakeSettings
) -> None:
    made = make_settings(database_url=postgresql_url)
    assert states(durability_checks.database_settings(made)) == {"database commits": State.OK}
    plain = make_url(postgresql_url).set(drivername="postgresql")
    database = sql.Identifier(plain.database or "")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(database))
        try:
            _forget_sessions()
            (finding,) = durability_checks.database_settings(made)
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} RESET synchronous_commit").format(database))
    assert finding.state is State.FAIL
    assert finding.detail.startswith("synchronous_commit off: ")


def test_sqlite_needs_no_such_check(settings: Settings) -> None:
    assert list(durability_checks.database_settings(settings)) == []


@pytest.mark.parametrize("weaker", [{"spool_sync": "normal"}, {"spool_when_full": "drop-oldest"}])
def test_a_spool_that_keeps_less_is_a_warning(
    make_settings: MakeSettings, weaker: dict[str, str]
) -> None:
    (finding,) = durability_checks.spool(make_settings(**weaker))
    assert finding.state is State.WARN


def _forget_sessions() -> None:
    """The next session is a new one, which sees the new default."""
    from db import session

    session.dispose()


def test_a_redis_without_a_limit_is_a_warning(
    private_redis: RedisServer,
) -> None:
    client = private_redis.client()
    assert states(durability_checks.redis_settings(client))["redis maxmemory"] is State.WARN
    client.config_set("maxmemory", "1gb")
    assert states(durability_checks.redis_settings(client))["redis maxmemory"] is State.OK
