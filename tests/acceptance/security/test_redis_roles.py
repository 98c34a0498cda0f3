"""Every part of a system works as its own Redis user, and no user may do another's work."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
import redis

from linewatch.doctor.diagnosis import examine
from linewatch.doctor.findings import Finding, State
from linewatch.doctor.health import beat_gone, silent, stuck
from linewatch.services import free_port, python_command
from producer.camera import Camera
from tests.acceptance.live import PATIENCE, Live, ids_of, kill, message
from tests.acceptance.security.conftest import HOST, Roles
from tests.support.redis_server import RedisServer


def test_everything_works_and_nothing_is_denied(guarded_plant: Live, roles: Roles) -> None:
    plant = guarded_plant
    as_worker = {"LINEWATCH_REDIS_URL": roles.url("worker")}
    plant.worker("w", **as_worker)
    plant.worker("t", queues="train,maintenance", **as_worker)
    plant.group.start(
        "beat", python_command("linewatch", "beat"), {"LINEWATCH_REDIS_URL": roles.url("beat")}
    )
    port = free_port()
    plant.group.start(
        "flower",
        python_command("linewatch", "flower", "--port", str(port)),
        {"LINEWATCH_REDIS_URL": roles.url("flower"), "FLOWER_UNAUTHENTICATED_API": "true"},
    )
    settings = roles.settings(plant.settings, f"producer-{HOST}")
    with Camera("line-1", "cam-1", "widget", settings=settings) as camera:
        for _ in range(20):
            camera.submit(plant.picture())
        assert camera.wait(60 * PATIENCE), camera.status()
    ops = roles.settings(plant.settings, "ops")
    kill_a_worker_with_messages(plant, as_worker)
    let_beat_start_a_task(plant)
    plant.until(lambda: beat_gone(roles.settings(plant.settings, "beat")) is None, 20, "beat")
    assert stuck(roles.settings(plant.settings, "worker")) is None
    assert silent(roles.settings(plant.settings, "worker"), "w") is None
    findings: list[Finding] = []

    def all_answered() -> bool:
        findings[:] = examine(ops)
        return not [f for f in findings if f.check == "workers"]

    # Workers are given a second to answer, which a busy machine may not have.
    plant.until(all_answered, 30, "answer of all workers")
    redis_findings = [f for f in findings if f.check.startswith("redis")]
    assert {f.state for f in redis_findings} == {State.OK}, redis_findings
    for path in ("/", "/workers", "/tasks", "/broker", "/api/workers?refresh=1", "/metrics"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
            assert reply.status == 200, path
    # A producer asks how old the queue's oldest message is, and does without where it may not.
    assert roles.denied() in ([], [(f"producer-{HOST}", "command", "lindex")])


def kill_a_worker_with_messages(plant: Live, environment: dict[str, str]) -> None:
    """So that the messages are restored to the queue, by whoever comes first."""
    doomed = plant.worker("doomed", **environment)
    payloads = [message(plant.picture()) for _ in range(40)]
    for payload in payloads:
        plant.enqueue(payload)
    plant.until(lambda: plant.held() > 0, 20, "messages in a worker's hands")
    kill(doomed)
    plant.group.services.remove(doomed)
    for payload in payloads:
        plant.wait_for(ids_of(payload))


def let_beat_start_a_task(plant: Live) -> None:
    """Say that a task of the schedule ran long ago, and wait until it is due again."""
    entry = "redbeat:retrain-after-labels"
    plant.until(lambda: plant.redis.hexists(entry, "meta"), 20, "beat's schedule")
    long_ago = {"__type__": "datetime", "year": 2020, "month": 1, "day": 1, "timezone": "UTC"}
    plant.redis.hset(entry, "meta", json.dumps({"last_run_at": long_ago, "total_run_count": 0}))
    plant.redis.zadd("redbeat::schedule", {entry: 1})

    def ran() -> bool:
        meta = json.loads(plant.redis.hget(entry, "meta"))
        return bool(meta["total_run_count"] > 0)

    plant.until(ran, 20, "task started by beat")


@pytest.mark.parametrize(
    "command",
    [
        ("LRANGE", "inspect", "0", "-1"),
        ("LINDEX", "inspect", "0"),
        ("LTRIM", "inspect", "1", "0"),
        ("RPOP", "inspect"),
        ("BRPOP", "inspect", "1"),
        ("DEL", "inspect"),
        ("RENAME", "inspect", "other"),
        ("LPUSH", "train", "x"),
        ("LRANGE", "linewatch:receipts:other-host-0123456789abcdef", "0", "-1"),
        ("LRANGE", f"linewatch:receipts:{HOST}-b-0123456789abcdef", "0", "-1"),
        ("LPUSH", f"linewatch:receipts:{HOST}-0123456789abcdef", "x"),
        ("HGETALL", "unacked"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("MONITOR",),
        ("SUBSCRIBE", "/0.celery.pidbox"),
        ("PUBLISH", "/0.celery.pidbox", "x"),
        ("EVAL", "return redis.call('lrange', 'inspect', 0, -1)", "0"),
    ],
)
def test_a_producer_may_only_enqueue_and_read_its_receipts(
    roles: Roles, command: tuple[str, ...]
) -> None:
    with roles.client(f"producer-{HOST}") as client:
        assert client.lrange(f"linewatch:receipts:{HOST}-0123456789abcdef", 0, -1) == []
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)


@pytest.mark.parametrize("user", ["worker", "beat", "flower", "ops", "health"])
def test_no_service_may_administer_redis(roles: Roles, user: str) -> None:
    with roles.client(user) as client:
        for command in (
            ("FLUSHALL",),
            ("CONFIG", "SET", "dir", "/tmp"),
            ("ACL", "SETUSER", "x"),
            ("KEYS", "*"),
            ("SHUTDOWN",),
            ("MODULE", "LIST"),
            ("SLAVEOF", "127.0.0.1", "1"),
            ("MONITOR",),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_nobody_gets_in_without_a_user(roles: Roles) -> None:
    with (
        redis.Redis(port=roles.server.port) as client,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        client.ping()


@pytest.mark.parametrize("user", ["beat", "flower", "ops", "health"])
def test_only_workers_take_messages_and_touch_receipts(roles: Roles, user: str) -> None:
    receipts = f"linewatch:receipts:{HOST}-0123456789abcdef"
    with roles.client(user) as client:
        for command in (
            ("BRPOP", "inspect", "1"),
            ("LRANGE", "inspect", "0", "-1"),
            ("DEL", "inspect"),
            ("LRANGE", receipts, "0", "-1"),
            ("RPUSH", receipts, "{}"),
            ("DEL", receipts),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_redis_refuses_at_the_door_what_no_worker_would_open(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, **{"proto-max-bulk-len": "4mb"})  # as docker-compose.yml says
    server.start()
    with server.client() as client:
        client.lpush("inspect", "x" * 2**21)
        with pytest.raises(redis.exceptions.RedisError):
            client.lpush("inspect", "x" * (2**22 + 1))
    with server.client() as client:  # Redis closes the other's connection
        assert client.llen("inspect") == 1
    server.kill()
