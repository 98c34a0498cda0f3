"""Fixtures of the acceptance tests: a live system, for one test or for a module of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import session
from linewatch.settings import Settings, get_settings
from tests.acceptance.faults.mode import TIMES
from tests.acceptance.live import Live, live
from tests.support.postgresql import Databases
from tests.support.redis_server import RedisServer


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database; `make test` takes SQLite, where the database makes no difference.

    That every program works on PostgreSQL is seen there too: by the tests of `shared_plant`, of
    databases that die, of database users. What is SQL is tested on both, without workers.
    """
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without weights: the compact ones come with Linewatch."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def _environment() -> Iterator[pytest.MonkeyPatch]:
    patch = pytest.MonkeyPatch()
    for name, value in TIMES.items():
        patch.setenv(f"LINEWATCH_{name.upper()}", str(value))
    patch.setenv("OMP_NUM_THREADS", "1")  # the machine is shared with Redis and PostgreSQL
    get_settings.cache_clear()
    yield patch
    patch.undo()
    get_settings.cache_clear()


def plant_settings(folder: Path, database_url: str, redis_url: str, weights_dir: Path) -> Settings:
    """Settings of a system whose files lie in `folder`."""
    pictures = folder / "pictures"
    pictures.mkdir()
    return Settings(
        data_dir=folder / "data",
        database_url=database_url,
        redis_url=redis_url,
        weights_dir=weights_dir,
        image_roots=(pictures,),
        **TIMES,
    )


@pytest.fixture
def plant(
    database_url: str,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    """A system for one test, on each database; the test starts the workers it wants."""
    yield from live(plant_settings(tmp_path, database_url, redis_url, weights_dir))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_plant(
    request: pytest.FixtureRequest,
    weights_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    """A system with one inspect worker, for all tests of a module that break nothing.

    On both databases; a module that is about neither says which it takes, see `on_one_database`.
    """
    folder = tmp_path_factory.mktemp("plant")
    lend: Callable[[pytest.FixtureRequest, Path], Iterator[str]]
    lend = _lent_sqlite if request.param == "sqlite" else _lent_postgresql
    redis_folder = tmp_path_factory.mktemp("redis")
    server = RedisServer(redis_folder)
    server.start(appendonly="no")
    assert server.url is not None
    for url in lend(request, folder):
        for plant in live(plant_settings(folder, url, server.url, weights_dir)):
            plant.worker()
            yield plant
    server.stop()


def _lent_sqlite(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    path = folder / "linewatch.db"
    shutil.copy(request.getfixturevalue("_sqlite_template"), path)
    yield f"sqlite:///{path}"
    session.dispose()


def _lent_postgresql(request: pytest.FixtureRequest, _folder: Path) -> Iterator[str]:
    databases: Databases | str = request.getfixturevalue("_postgresql")
    if isinstance(databases, str):
        pytest.skip(databases)
    url = databases.lend()
    yield url
    session.dispose()
    databases.give_back(url)
