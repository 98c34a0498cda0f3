"""As its own Redis user the console hands pictures over, asks for training, sees the queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import redis
from PIL import Image

from console.pages.products.models import ask_for_training
from db import products
from db.session import engine_for, transaction
from linewatch.products import parse_product
from linewatch.redis_access.acl import ROLES, acl_file, password_hash
from linewatch.settings import Settings
from tests.support.console import client_of, console_app
from tests.support.judge import Judge
from tests.support.pictures import encoded, texture
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

PASSWORD = "a-password-long-enough"


def test_nothing_that_the_console_does_is_denied(
    tmp_path: Path, sqlite_url: str, make_settings: Callable[..., Settings]
) -> None:
    users = tmp_path / "users.acl"
    users.write_text(acl_file(ROLES, {role.name: password_hash(PASSWORD) for role in ROLES}))
    server = RedisServer(tmp_path, aclfile=str(users), user="admin", password=PASSWORD)
    server.start()

    def url(user: str) -> str:
        return f"redis://{user}:{PASSWORD}@127.0.0.1:{server.port}/0"

    settings = make_settings(
        redis_url=url("console"), image_roots=[tmp_path], upload_dir=tmp_path / "up"
    )
    classes = [{"code": "good", "good": True}, {"code": "bent_wire"}]
    with transaction(engine_for(sqlite_url)) as connection:
        spec = parse_product({"product": "cable", "classes": classes}, source="test")
        products.register(connection, spec)
    app = console_app(engine_for(sqlite_url))
    client = client_of(app, "engineer")
    try:
        data = encoded(Image.fromarray(texture(64, 64)), "PNG")
        said = {"product": "cable", "line": "L1", "camera": "C1"}
        png = {"content-type": "image/png"}
        answer = client.post("/api/v1/inspections", params=said, content=data, headers=png)
        id_ = UUID(answer.json()["id"])
        with Judge(url("worker")):
            until(lambda: not app.state.intake.waits(id_), 30)
        ask_for_training(settings, "cable")
        shown = client.get("/api/v1/queue")
        assert (shown.status_code, shown.json()["redis"]) == (200, True)
        assert client.get("/api/v1/lines").status_code == 200
        client.post("/sign-in", data={"name": "nobody", "password": "not theirs"})
        with redis.Redis.from_url(url("admin"), decode_responses=True) as admin:
            assert admin.llen("train") == 1
            denied = {(e["username"], e["object"]) for e in admin.acl_log(128)}
        assert {one for one in denied if one[0] == "console"} == set()
        with redis.Redis.from_url(url("console")) as console:
            for command in ("BRPOP inspect 1", "FLUSHALL", "CONFIG SET x 1"):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    console.execute_command(*command.split())
    finally:
        app.state.intake.close()
        server.kill()
