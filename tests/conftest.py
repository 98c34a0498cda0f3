"""Databases, Redis and settings for every test: real ones, each test's own, gone afterwards."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

from linewatch.import_path import PACKAGES
from linewatch.settings import Settings, get_settings
from tests.support.once import made_once
from tests.support.parallel import own_redis_database, share_the_cores
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.postgresql import Databases


share_the_cores()  # before anything imports torch
pytest_plugins = ["tests.support.complete"]

LEVELS = {"": logging.WARNING} | dict.fromkeys(("linewatch", *PACKAGES), logging.NOTSET)


@pytest.fixture(autouse=True)
def _loggers_stay_as_they_were() -> Iterator[None]:
    """A level that a test leaves behind would hide warnings from every test after it."""
    yield
    changed = [name for name, level in LEVELS.items() if logging.getLogger(name).level != level]
    for name in changed:
        logging.getLogger(name).setLevel(LEVELS[name])
    assert not changed, f"the level of {changed} is to be set through caplog"


@pytest.fixture(autouse=True)
def _no_sender_outlives_its_test() -> Iterator[None]:
    """One that was left open sends into the queue of the tests after it, now and then."""
    before = set(threading.enumerate())
    yield
    new = set(threading.enumerate()) - before
    left = [thread.name for thread in new if thread.name.startswith("sender ")]
    assert not left, f"{left} still send: close the camera, or the console's intake"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from db import migrate, session

    def make(folder: Path) -> None:
        migrate.upgrade(f"sqlite:///{folder / 'template.db'}")
        session.dispose()  # closing the last connection folds the write-ahead log into the file

    return made_once(tmp_path_factory, "sqlite", make) / "template.db"


@pytest.fixture(scope="session")
def _postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases | str]:
    """A server's databases, or why there is none."""
    from tests.support import postgresql

    try:
        with postgresql.server(tmp_path_factory.mktemp("postgresql")) as url:
            databases = postgresql.Databases(url)
            yield databases
            databases.close()
    except postgresql.NoPostgreSQLError as error:
        yield str(error)


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> Iterator[str]:
    """A migrated SQLite file, where `settings` looks for it."""
    from db import session

    path = tmp_path / "linewatch.db"
    shutil.copy(_sqlite_template, path)
    yield f"sqlite:///{path}"
    session.dispose()


@pytest.fixture
def _patient_sessions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of a test's own process may be idle for as long as a busy machine stalls it."""
    from db import session

    if "product_limits" not in request.keywords:
        monkeypatch.setattr(session, "_IDLE_IN_TRANSACTION_MS", 60_000)


@pytest.fixture
def postgresql_url(_postgresql: Databases | str, _patient_sessions: None) -> Iterator[str]:
    """A migrated PostgreSQL database; skips, with the reason, where there is no server."""
    from db import session

    if isinstance(_postgresql, str):
        pytest.skip(_postgresql)
    url = _postgresql.lend()
    yield url
    session.dispose()
    _postgresql.give_back(url)


@pytest.fixture
def empty_postgresql_url(_postgresql: Databases | str) -> Iterator[str]:
    """A PostgreSQL database with nothing in it."""
    from db import session

    if isinstance(_postgresql, str):
        pytest.skip(_postgresql)
    url = _postgresql.create()
    yield url
    session.dispose()
    _postgresql.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, once of each kind."""
    from db import session

    if request.param == "postgresql":
        yield request.getfixturevalue("empty_postgresql_url")
    else:
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        session.dispose()


@pytest.fixture
def engine(database_url: str) -> Engine:
    """The engine of `database_url`."""
    from db.session import engine_for

    return engine_for(database_url)


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start(appendonly="no")
    yield server
    server.stop()


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty Redis: LINEWATCH_TEST_REDIS_URL (must be empty), else one that the tests start.

    Never one that merely listens on this machine: it may be somebody's.
    """
    named = os.environ.get("LINEWATCH_TEST_REDIS_URL")
    url = own_redis_database(named) if named else request.getfixturevalue("_redis_server").url
    with redis.Redis.from_url(url) as client:
        if named:
            assert client.dbsize() == 0, f"{url} holds keys; name an empty database"
        client.flushdb()  # a thread of the test before may have written after its end
        yield url
        client.flushdb()


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for this test alone, to be stopped and killed; append-only file, `everysec`."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def make_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Settings]]:
    """Builds settings under `tmp_path` and exports them, so that child processes agree."""
    for name in os.environ:
        if name.startswith("LINEWATCH_") and not name.startswith("LINEWATCH_TEST_"):
            monkeypatch.delenv(name)

    def make(**fields: Any) -> Settings:
        for name, value in {"data_dir": tmp_path, **fields}.items():
            if isinstance(value, list | tuple):
                value = os.pathsep.join(map(str, value))
            monkeypatch.setenv(f"LINEWATCH_{name.upper()}", "" if value is None else str(value))
        get_settings.cache_clear()
        return get_settings()

    yield make
    get_settings.cache_clear()


@pytest.fixture
def settings(make_settings: Callable[..., Settings], sqlite_url: str) -> Settings:
    """Settings with a migrated SQLite database and no Redis yet; `make_settings` adds to them."""
    made = make_settings()
    assert made.sql_url == sqlite_url
    return made
