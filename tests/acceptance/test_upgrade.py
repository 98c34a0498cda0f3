"""A plant that 0.1.0's own code lives is upgraded while its cameras go on, and judges alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db import migrate
from db.inspections.inspections import outcomes
from db.session import engine_for, reading
from linewatch.plant import environment
from linewatch.settings import Settings
from producer.camera import Camera
from tests.acceptance.live import PATIENCE, Live, programs
from tests.acceptance.test_versions import Old, old_code, outcome
from tests.support.redis_server import RedisServer
from tests.support.version_0_1_0 import plant as lived

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
__all__ = ["old_code"]

PARTS = 14
KEYS = "k1:" + "s" * 32
MAKER = Path(lived.__file__)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'plant' / 'data' / 'linewatch.db'}"
    found: str = request.getfixturevalue("empty_postgresql_url")
    return found


def test_an_upgrade_while_cameras_of_0_1_0_go_on(
    url: str,
    old_code: Path,
    private_redis: RedisServer,
    make_settings: Callable[..., Settings],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "plant"
    command = [sys.executable, str(MAKER), str(folder), url, private_redis.url, str(PARTS)]
    env = {**os.environ, "PYTHONPATH": str(old_code), "LINEWATCH_RECIPE": "seed"}
    done = subprocess.run(command, cwd=old_code, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    known = json.loads((folder / "known.json").read_text())
    settings = make_settings(
        data_dir=folder / "data",
        database_url=url,
        redis_url=private_redis.url,
        image_roots=[folder / "pictures"],
        signing_keys=KEYS,
        recipe="seed",
    )
    with sending(old_code, settings, folder, known["judged"][0]) as sent:
        migrate.upgrade(url)
        assert same_answers(url, folder)
        with programs(settings) as group:
            plant = Running(settings, group)
            plant.worker()
            waiting = [UUID(id_) for id_ in known["queued"] + known["held"]]
            flushed = subprocess.run(
                [sys.executable, "-m", "linewatch", "spool", "flush"],
                env={**os.environ, **environment(settings)},
                capture_output=True,
                text=True,
            )
            assert flushed.returncode == 0, flushed.stdout + flushed.stderr
            plant.wait_for(waiting, 120)
            assert judged_alike(plant, known, folder)
            assert outcome(sent())["verdict"] in ("pass", "defect", "review")


class Running(Live):
    """The upgraded plant: nothing is made or registered in it."""

    def __init__(self, settings: Settings, group: Any) -> None:
        self.settings, self.group, self.receipts = settings, group, []


@contextmanager
def sending(code: Path, settings: Settings, folder: Path, id_: str) -> Iterator[Callable[[], Path]]:
    """A camera of 0.1.0 that handed a picture over before, and waits for its verdict."""
    name = json.loads((folder / "known.json").read_text())["truth"][id_][1]
    out = folder / "sent.json"
    old = Old(code, **environment(settings) | {"LINEWATCH_DATA_DIR": str(folder / "camera")})
    where = ["--line", "line-1", "--camera", "rolling", "--product", "cable"]
    picture = str(folder / "pictures" / name)
    limit = ["--timeout", str(300 * PATIENCE), "--json", str(out)]
    process = old.start("submit", picture, *where, *limit)

    def finished() -> Path:
        output, _ = process.communicate(timeout=300 * PATIENCE)
        assert process.returncode == 0, output
        return out

    try:
        yield finished
    finally:
        process.kill()
        process.wait()


def same_answers(url: str, folder: Path) -> bool:
    """Whether saved queries say what they said under 0.1.0."""
    said = json.loads((folder / "said" / "queries.json").read_text())
    with reading(engine_for(url)) as connection:
        return all(
            [list(map(lived.plain, row)) for row in connection.execute(text(query))] == said[name]
            for name, query in lived.QUERIES.items()
        )


def judged_alike(plant: Live, known: dict[str, Any], folder: Path) -> bool:
    """Whether the champion says of the same pictures what it said under 0.1.0."""
    before = outcomes(plant.engine, [UUID(id_) for id_ in known["judged"]])
    again: dict[UUID, UUID] = {}
    with Camera("line-1", "again", "cable", settings=plant.settings) as camera:
        for id_ in before:
            picture = folder / "pictures" / known["truth"][str(id_)][1]
            again[camera.submit(picture)] = id_
        assert camera.wait(120 * PATIENCE)
    for id_, now in outcomes(plant.engine, again).items():
        old = before[again[id_]]
        if (now.verdict, now.defect_class, now.model_version) != (
            old.verdict,
            old.defect_class,
            old.model_version,
        ):
            return False
    return bool(again)
