"""A Redis with the users of an ACL file keeps through a restart what it held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from linewatch.redis_access.acl import ROLES, acl_file, password_hash
from tests.support.redis_server import RedisServer

PASSWORD = "a-password-long-enough"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    users = tmp_path / "users.acl"
    users.write_text(acl_file(ROLES, {role.name: password_hash(PASSWORD) for role in ROLES}))
    server = RedisServer(
        tmp_path, aclfile=str(users), user="admin", password=PASSWORD, appendfsync="always"
    )
    server.start()
    yield server
    server.kill()


def test_transactions_and_scripts_survive_a_restart(server: RedisServer) -> None:
    """Redis replays them as the user `default`: what that may not do would be lost."""
    with server.client() as admin:
        admin.lpush("inspect", "message")
        with admin.pipeline(transaction=True) as both:  # as redbeat stores its schedule
            both.hset("redbeat:tick", "meta", "{}").zadd("redbeat::schedule", {"redbeat:tick": 1})
            both.execute()
        taken = "redis.call('hset', 'unacked', 'tag', redis.call('rpop', 'inspect'))"
        admin.eval(taken, 0)  # as a worker takes a message
    for end in (server.stop, server.kill):
        end()
        server.start()
        with server.client() as admin:
            assert admin.zrange("redbeat::schedule", 0, -1) == ["redbeat:tick"]
            assert admin.hget("redbeat:tick", "meta") == "{}"
            assert admin.llen("inspect") == 0  # or it would be judged again
            assert admin.hgetall("unacked") == {"tag": "message"}
            assert admin.acl_log() == []


@pytest.mark.parametrize("login", ["", "default:@", "default:anything@", ":@"])
def test_nobody_is_the_user_default(server: RedisServer, login: str) -> None:
    url = f"redis://{login}127.0.0.1:{server.port}/0"
    with redis.Redis.from_url(url) as nobody:
        for command in ("PING", "GET x", "LPUSH inspect x", "ACL WHOAMI", "CONFIG GET *"):
            with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
                nobody.execute_command(*command.split())
