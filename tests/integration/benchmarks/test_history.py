"""Commits beside those of 0.1.0, run from its own code."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults_table import foreign, is_shallow
from benchmarks.history.committing import BEFORE, Committing, before, migrate_with
from benchmarks.history.databases import about
from benchmarks.history.fill import History, fill
from benchmarks.workplace import ROOT
from tests.support.postgresql import Databases

_VERSIONS = ("this version", "0.1.0")


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return before(tmp_path_factory.mktemp("0.1.0"))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the code of 0.1.0 is not in this checkout: {error}")


@pytest.fixture
def databases(_postgresql: Databases | str) -> Iterator[list[str]]:
    if isinstance(_postgresql, str):
        pytest.skip(_postgresql)
    urls = [_postgresql.create() for _ in _VERSIONS]
    yield urls
    for url in urls:
        _postgresql.drop(url)


def test_what_it_is_measured_against_is_in_the_history() -> None:
    try:
        strange = foreign([{"commit": BEFORE}])
        shallow = is_shallow()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no git history here: {error}")
    if shallow:
        pytest.skip("a shallow clone does not know all its ancestors")
    assert strange == []


@pytest.mark.slow
@pytest.mark.parametrize("version", _VERSIONS)
def test_each_version_commits_on_sqlite(version: str, tmp_path: Path, old_code: Path) -> None:
    root = ROOT if version == "this version" else old_code
    url = f"sqlite:///{tmp_path / 'linewatch.db'}"
    migrate_with(root, url)
    with Committing(root, url, 8) as contender:
        assert contender.messages_per_s(2) > 0


@pytest.mark.slow
def test_each_version_has_the_history_and_commits_on_postgresql(
    databases: list[str], old_code: Path
) -> None:
    history = History.of(3_000)
    pictures = []
    for root, url in zip((ROOT, old_code), databases, strict=True):
        migrate_with(root, url)
        fill(url, history)
        pictures.append(_pictures(url))
        with Committing(root, url, 8) as contender:
            assert contender.messages_per_s(2) > 0
            assert contender.wal(2)["records"] > 4
        assert _pictures(url) == pictures[-1] + 2 * 2 * 8 * 2
    assert pictures[0] == pictures[1] == pytest.approx(history.pictures, rel=0.1)


def _pictures(url: str) -> int:
    counted = about(url)["pictures"]
    assert isinstance(counted, int)
    return counted
