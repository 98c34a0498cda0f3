"""The producer needs exactly the rights that docs/protocol.md lists, and no others."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from linewatch.redis_access.acl import producer_role
from linewatch.settings import Settings
from producer.camera import Camera
from tests.support.judge import Judge
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

PROTOCOL = Path(__file__).parents[3] / "docs" / "protocol.md"


def documented_rules() -> list[str]:
    (line,) = [
        line
        for line in PROTOCOL.read_text().splitlines()
        if line.startswith("ACL SETUSER producer")
    ]
    return line.removeprefix("ACL SETUSER producer ").split()


def run_as(
    private_redis: RedisServer, make_settings: Callable[..., Settings], rules: list[str]
) -> None:
    with private_redis.client() as admin:
        admin.execute_command("ACL", "SETUSER", "producer", *rules)
        admin.execute_command("ACL", "SETUSER", "producer", ">secret")
        admin.acl_log_reset()
        url = private_redis.url.replace("redis://", "redis://producer:secret@")
        settings = make_settings(redis_url=url, receipt_timeout_s=5)
        with Judge(private_redis.url), Camera("l", "c", "cable", settings=settings) as camera:
            camera.submit("/a.png")
            camera.submit_many(f"/{i}.png" for i in range(3))
            deadline = time.monotonic() + 20
            while camera.spool.count() and not camera.status().sender.trouble:
                assert time.monotonic() < deadline, camera.status()
                time.sleep(0.02)
            assert camera.status().sender.trouble is None
        denied = {(entry["reason"], entry["object"]) for entry in admin.acl_log()}
        assert denied <= {("command", "lindex")}  # the queue's age, which it does without


def test_documented_rights_are_enough(
    private_redis: RedisServer, make_settings: Callable[..., Settings]
) -> None:
    run_as(private_redis, make_settings, documented_rules())


@pytest.mark.parametrize("right", ["+lpush", "+llen", "+lrange", "+ltrim", "+ping", "~inspect"])
def test_each_documented_right_is_needed(
    private_redis: RedisServer, make_settings: Callable[..., Settings], right: str
) -> None:
    words = [rule.strip("()") for rule in documented_rules()]
    assert right in words
    rules = [rule.replace(right, "") for rule in documented_rules()]
    with pytest.raises(AssertionError):
        run_as(private_redis, make_settings, rules)


def test_documented_rights_forbid_the_rest(private_redis: RedisServer) -> None:
    with private_redis.client() as admin:
        admin.execute_command("ACL", "SETUSER", "producer", *documented_rules(), ">secret")
        url = private_redis.url.replace("redis://", "redis://producer:secret@")
        with redis.Redis.from_url(url) as client:
            for command in (
                ("LPOP", "inspect"),
                ("LRANGE", "inspect", "0", "-1"),
                ("LTRIM", "inspect", "1", "0"),
                ("LPUSH", "train", "x"),
                ("LRANGE", "unacked", "0", "-1"),
                ("DEL", "inspect"),
                ("FLUSHALL",),
                ("CONFIG", "GET", "*"),
            ):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command)


def test_the_user_of_another_pc_is_told_what_it_takes(
    private_redis: RedisServer, make_settings: Callable[..., Settings]
) -> None:
    """Its receipts are another host's: nothing would ever leave the spool."""
    rules = producer_role("other-pc").rules.split()
    with private_redis.client() as admin:
        admin.execute_command(
            "ACL", "SETUSER", "producer-other-pc", "on", ">secret", *_whole(rules)
        )
    url = private_redis.url.replace("redis://", "redis://producer-other-pc:secret@")
    with Camera("l", "c", "cable", settings=make_settings(redis_url=url)) as camera:
        host = camera.spool.producer_id.rpartition("-")[0]
        camera.submit("/a.png")
        until(lambda: camera.status().sender.trouble is not None)
        assert f"`linewatch init FOLDER --producer {host}`" in str(camera.status().sender.trouble)


def _whole(rules: list[str]) -> list[str]:
    """Each selector as one word, as ACL SETUSER takes it."""
    return re.findall(r"\([^)]*\)|\S+", " ".join(rules))
