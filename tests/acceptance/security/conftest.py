"""A system whose every part has a Redis user of its own."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from linewatch.redis_access.acl import ROLES, acl_file, password_hash, producer_role
from linewatch.settings import Settings
from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import Live, live
from tests.support.redis_server import RedisServer

HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:64].strip("-") or "camera"
PASSWORD = "a-password-long-enough"


class Roles:
    """A Redis with the users of an ACL file, and the way in as each of them."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server

    def url(self, user: str) -> str:
        return f"redis://{user}:{PASSWORD}@127.0.0.1:{self.server.port}/0"

    def client(self, user: str) -> redis.Redis:
        return redis.Redis.from_url(self.url(user), decode_responses=True)

    def settings(self, base: Settings, user: str) -> Settings:
        return base.model_copy(update={"redis_url": self.url(user)})

    def denied(self) -> list[tuple[str, str, str]]:
        with self.client("admin") as admin:
            return sorted({(e["username"], e["reason"], e["object"]) for e in admin.acl_log(128)})


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[Roles]:
    """A Redis that starts with what `linewatch redis-acl` writes: this host and one other."""
    everyone = [*ROLES, producer_role(HOST), producer_role("other-host")]
    folder = tmp_path / "redis"
    folder.mkdir()
    users = folder / "users.acl"
    users.write_text(acl_file(everyone, {r.name: password_hash(PASSWORD) for r in everyone}))
    server = RedisServer(
        folder, aclfile=str(users), user="admin", password=PASSWORD, maxmemory="1gb"
    )
    server.start()
    yield Roles(server)
    server.kill()


@pytest.fixture
def guarded_plant(
    roles: Roles,
    sqlite_url: str,
    weights_dir: Path,
    tmp_path: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    """A system whose workers are the user `worker`; the test itself is `admin`."""
    base = plant_settings(tmp_path, sqlite_url, roles.url("admin"), weights_dir)
    yield from live(base)
