"""What the cameras' senders noted in a real Redis, as the dispatcher counts with it."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import redis

from db.session import engine_for
from linewatch.first_start.programs import PROGRAMS
from linewatch.redis_access.acl import ROLES, acl_file, password_hash
from linewatch.settings import Settings
from outputs import camera_clocks
from outputs.camera_clocks import CameraClocks
from producer.clock_skew import CLOCKS, ClockSkew, noted
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

PASSWORD = "a-password-long-enough"


def test_a_camera_s_clock_is_asked_for_again_and_again(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_clocks, "EVERY_S", 0.1)
    clocks = CameraClocks(
        settings.model_copy(update={"redis_url": redis_url}), engine_for(settings.sql_url)
    )
    with redis.Redis.from_url(redis_url) as client:
        clocks.start()
        for ahead_s in (30.0, -7.0):
            client.hset(CLOCKS, "pc-1", noted(ClockSkew(-ahead_s, 0.001), "L1", "top"))
            until(partial(_agrees, clocks, ahead_s))
    clocks.ask_to_stop()
    assert clocks.join(10)


def _agrees(clocks: CameraClocks, ahead_s: float) -> bool:
    return abs(clocks().ahead("L1", "top") - timedelta(seconds=ahead_s)) < timedelta(seconds=1)


def test_without_redis_what_was_known_still_counts(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_clocks, "EVERY_S", 0.05)
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    clocks = CameraClocks(away, engine_for(settings.sql_url))
    with caplog.at_level(logging.WARNING):
        clocks.start()
        until(lambda: "clocks are not asked for" in caplog.text)
        clocks.ask_to_stop()
        assert clocks.join(10)
    assert clocks().ahead("L1") == timedelta()
    assert caplog.text.count("clocks are not asked for") == 1


def test_in_a_plant_the_outputs_may_ask_and_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    """Without a user of its own it knows of no camera's clock, or may do what workers may."""
    (user,) = (program.redis_user for program in PROGRAMS if program.name == "outputs")
    users = tmp_path / "users.acl"
    users.write_text(acl_file(ROLES, {role.name: password_hash(PASSWORD) for role in ROLES}))
    server = RedisServer(tmp_path, aclfile=str(users), user="admin", password=PASSWORD)
    server.start()
    url = f"redis://{user}:{PASSWORD}@127.0.0.1:{server.port}/0"
    clocks = CameraClocks(
        settings.model_copy(update={"redis_url": url}), engine_for(settings.sql_url)
    )
    try:
        with redis.Redis.from_url(f"redis://admin:{PASSWORD}@127.0.0.1:{server.port}/0") as admin:
            admin.hset(CLOCKS, "pc-1", noted(ClockSkew(-30.0, 0.001), "L1", "top"))
            clocks.start()
            until(partial(_agrees, clocks, 30.0))
            assert admin.acl_log() == []
        with redis.Redis.from_url(url) as outputs:
            for command in (f"HSET {CLOCKS} x y", "LPUSH inspect x", "HGETALL unacked", "KEYS *"):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    outputs.execute_command(*command.split())
    finally:
        clocks.ask_to_stop()
        assert clocks.join(10)
        server.kill()
