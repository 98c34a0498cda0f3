"""Without its database or Redis the console says so at once, and works again when they are back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db import migrate, session
from db.labels import decisions
from db.session import engine_for
from linewatch.settings import Settings
from tests.support import odd_plants
from tests.support.console import client_of, console_app
from tests.support.every_page import Things, every_path, query
from tests.support.postgresql import NoPostgreSQLError, PostgreSQLServer
from tests.support.redis_server import RedisServer
from tests.support.review import PRODUCT, a_product, a_view, commit

LONGEST_S = 5.0  # of a busy machine
NOWHERE = "127.0.0.1:1"


def addresses(things: Things) -> list[str]:
    return [f"{path}?{query(things)}" for paths in every_path(things) for path in paths]


def refused(client: TestClient, address: str) -> str | None:
    """What is wrong with how the outage is said; None: nothing."""
    began = time.monotonic()
    answer = client.get(address)
    if time.monotonic() - began > LONGEST_S:
        return f"{address}: took {time.monotonic() - began:.1f} s"
    if answer.status_code != 503 or "the database did not answer this" not in answer.text:
        return f"{address}: {answer.status_code} {answer.text[-200:]}"
    return None


def test_a_database_that_is_not_there(make_settings: Callable[..., Settings]) -> None:
    make_settings(redis_url=f"redis://{NOWHERE}/0")
    app = console_app(engine_for(f"postgresql://nobody:secret@{NOWHERE}/none"))
    client = client_of(app)
    client.cookies.set("linewatch_session", "of a person who is signed in")
    wrong = [each for address in addresses(Things()) if (each := refused(client, address))]
    assert not wrong
    assert "secret" not in client.get("/").text
    assert client.get("/healthz").status_code == 200
    assert client.post("/sign-in", data={"name": "a", "password": "b"}).status_code == 503


@pytest.fixture
def server() -> Iterator[PostgreSQLServer]:
    try:
        with PostgreSQLServer() as own:
            yield own
            session.dispose()
    except NoPostgreSQLError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_database_that_goes_and_comes_back(
    server: PostgreSQLServer, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=f"redis://{NOWHERE}/0")
    migrate.upgrade(server.url)
    engine = engine_for(server.url)
    a_product(engine)
    commit(engine, [a_view("P-1")])
    ann = client_of(console_app(engine), "admin", "ann")
    work = ann.get("/api/v1/review").json()["parts"][0]
    word = {"key": work["key"], "revision": work["revision"], "said": "bent"}
    server.stop()
    wrong = [each for address in addresses(Things()) if (each := refused(ann, address))]
    assert not wrong
    lost = ann.post(f"/review/decide?product={PRODUCT}", data=word)
    assert (lost.status_code, "the database did not answer" in lost.text) == (503, True)

    server.start()
    assert decisions.history(engine, PRODUCT) == []
    kept = ann.post(f"/review/decide?product={PRODUCT}", data=word)
    assert kept.status_code in (200, 303), kept.text
    assert [one.decided_by for one in decisions.history(engine, PRODUCT)] == ["ann"]
    for address in addresses(Things()):
        assert ann.get(address).status_code < 500, address


def test_redis_goes_and_comes_back(
    sqlite_url: str,
    private_redis: RedisServer,
    make_settings: Callable[..., Settings],
    tmp_path: Path,
) -> None:
    make_settings(redis_url=private_redis.url)
    engine: Engine = engine_for(sqlite_url)
    odd_plants.one_part(engine, tmp_path)
    admin = client_of(console_app(engine), "admin")
    assert admin.get("/api/v1/queue").json()["redis"] is True
    private_redis.kill()
    for path, _ in every_path(Things()):
        began = time.monotonic()
        answer = admin.get(path)
        assert answer.status_code in (200, 404, 422), path
        assert time.monotonic() - began < LONGEST_S, path
    assert "Redis does not answer" in admin.get("/queue").text
    private_redis.start()
    assert admin.get("/api/v1/queue").json()["redis"] is True
