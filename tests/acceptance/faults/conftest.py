"""Whatever a test raises, and even the end of this process, is a row in the file of results."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from benchmarks.report import RESULTS
from db import session
from tests.acceptance.conftest import plant_settings
from tests.acceptance.faults import journal
from tests.acceptance.faults.mode import LONG, PART
from tests.acceptance.faults.parts import PARTS, part_of
from tests.acceptance.faults.results import code, recorder, results_path, stored
from tests.acceptance.faults.trained import Champion, Trained, train, trained_plant
from tests.acceptance.live import Live, live
from tests.support.once import made_once
from tests.support.redis_server import RedisServer

FOLDER = Path(__file__).parent


def name_of(item: pytest.Item) -> str:
    """`file.py::test[parameters]`, whichever folder pytest was started in."""
    return f"{item.path.name}::{item.name}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a part of the long run: its tests, without those that have passed at this commit."""
    if PART and PART not in PARTS:
        raise pytest.UsageError(f"no part is called {PART}; choose from {', '.join(PARTS)}")
    if not LONG and not PART:
        return
    if LONG and not code().isalnum() and results_path() == RESULTS / "faults.json":
        raise pytest.UsageError(f"commit first: rows must name what ran, and it is {code()}")
    path = results_path()
    rows = stored(path) if path is not None and LONG else []
    done = journal.done(rows, code()) if rows else set()
    mine = [item for item in items if item.path.parent == FOLDER]
    left = [i for i in mine if PART in ("", part_of(name_of(i))) and name_of(i) not in done]
    dropped = [item for item in mine if item not in left]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The test's rows are unfinished from here on."""
    item.stash[_PROBLEM] = []
    if (kept := recorder()) is not None:
        kept.begin(name_of(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Setup, call and teardown each may fail; after the last, the rows are written."""
    report = yield
    if _PROBLEM not in item.stash:  # another plugin skipped it before it began
        return report
    if report.failed and call.excinfo is not None:
        item.stash[_PROBLEM].append(f"{call.excinfo.typename}: {call.excinfo.value}")
    item.stash[_SKIPPED] = item.stash.get(_SKIPPED, False) or report.skipped
    if report.when == "teardown" and (kept := recorder()) is not None:
        problems = item.stash[_PROBLEM]
        skipped = item.stash[_SKIPPED] and not problems
        kept.end(journal.told(problems[0]) if problems else None, skipped=skipped)
    return report


_PROBLEM = pytest.StashKey[list[str]]()
_SKIPPED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def champion(
    _sqlite_template: Path,
    weights_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
    _environment: pytest.MonkeyPatch,
) -> Champion:
    """Trained once, for every plant of this run."""

    def make(folder: Path) -> None:
        database = shutil.copy(_sqlite_template, folder / "linewatch.db")
        made = train(folder, f"sqlite:///{database}", weights_dir)
        session.dispose()
        (folder / "champion.json").write_bytes(champions.dump_json(made))

    champions = TypeAdapter(Champion)
    made = made_once(tmp_path_factory, "champion", make)
    return champions.validate_json((made / "champion.json").read_bytes())


@pytest.fixture
def plant(
    database_url: str,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    champion: Champion,
) -> Iterator[Trained]:
    """A system with a champion, for one test; the test starts the workers it wants."""
    settings = plant_settings(tmp_path, database_url, redis_url, weights_dir)
    yield from trained_plant(settings, champion)


@pytest.fixture
def untrained_plant(
    database_url: str,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    """A system without a model, for tests that make their own."""
    yield from live(plant_settings(tmp_path, database_url, redis_url, weights_dir))


@pytest.fixture
def redis_plant(
    database_url: str,
    weights_dir: Path,
    tmp_path: Path,
    private_redis: RedisServer,
    champion: Champion,
) -> Iterator[Trained]:
    """A system whose Redis is the test's to break. In the short run cameras resend after 2 s."""
    settings = plant_settings(tmp_path, database_url, private_redis.url, weights_dir)
    sooner = {} if LONG else {"receipt_timeout_s": 2.0}
    yield from trained_plant(settings.model_copy(update=sooner), champion)
