"""A plant that the code of 0.1.0 lived, upgraded as docs/operations.md says, and taken back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from db import migrate
from db.inspections.inspections import commit_inspections
from db.session import engine_for, reading, transaction
from linewatch.cli import cli
from linewatch.settings import Settings
from producer.outbox import Outbox
from tests.migration.test_from_0_1_0 import convert
from tests.support.console import client_of, console_app
from tests.support.every_page import Things, every_path, query
from tests.support.records import a_record
from tests.support.version_0_1_0 import frozen
from tests.support.version_0_1_0.plant import KEPT_DAYS, QUERIES, plain

TABLES = ("inspections", "inspection_scores", "features", "labels", "golden_items", "audit_log")


@dataclass
class Plant:
    """What 0.1.0 left: settings that name it, and what it said of itself."""

    settings: Settings
    known: dict[str, Any]
    said: dict[str, Any]

    @property
    def engine(self) -> Engine:
        return engine_for(self.settings.sql_url)


@pytest.fixture
def plant(empty_database_url: str, make_settings: Callable[..., Settings], tmp_path: Path) -> Plant:
    """On PostgreSQL its months are partitions."""
    folder = tmp_path / "plant"
    found = frozen.placed(folder, empty_database_url)
    engine = engine_for(empty_database_url)
    if engine.dialect.name == "postgresql":
        convert(engine)
    with reading(engine) as connection:
        newest = connection.scalar(text("SELECT max(hour) FROM inspection_hourly"))
    if isinstance(newest, str):
        newest = datetime.fromisoformat(newest).replace(tzinfo=UTC)
    settings = make_settings(
        data_dir=folder / "data",
        database_url=empty_database_url,
        redis_url="redis://127.0.0.1:1/0",
        image_roots=[folder / "pictures"],
        recipe="seed",
        retention_inspections_days=KEPT_DAYS + (datetime.now(UTC) - newest).days - 5,
    )
    return Plant(settings, found["known"], alike(found["said"]))


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == code, (arguments, result.output, result.exception)
    return result.stdout


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All that 0.1.0 stored, but for what an upgrade adds to it."""
    with reading(engine) as connection:
        return {
            name: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {name}"))), key=repr)
            for name in TABLES
        }


def answers(engine: Engine) -> dict[str, list[list[Any]]]:
    """What the plant's own queries on the views of 0.1.0 say now."""
    with reading(engine) as connection:
        return {
            name: alike([list(map(plain, row)) for row in connection.execute(text(asked))])
            for name, asked in QUERIES.items()
        }


def alike(answer: Any) -> Any:
    """An answer as PostgreSQL gives it; hours in it are text on SQLite."""
    return json.loads(json.dumps(answer).replace(":00:00.000000", ":00:00"))


def test_it_is_upgraded_and_goes_on(plant: Plant, tmp_path: Path) -> None:
    run("backup", str(tmp_path / "before"))
    assert "upgraded to" in run("db", "upgrade")
    run("db", "backfill")
    assert "parts and counts are right" in run("db", "recount", "--check")
    run("audit", "verify")
    says_what_it_said(plant)
    judges_as_it_did(plant)
    learns_and_serves(plant)
    shows_itself(plant)
    run("purge")
    assert "parts and counts are right" in run("db", "recount", "--check")
    assert answers(plant.engine)["lots"] == plant.said["queries"]["lots"]
    sends_its_spools(plant)


def says_what_it_said(plant: Plant) -> None:
    """A saved query or a report on pictures has the figures that it had."""
    assert answers(plant.engine) == plant.said["queries"]
    by = ("--by", "line", "--by", "camera")
    for report, before in (
        (("pictures", *by), plant.said["report-defect-rate"]),
        (("classes", "--product", "cable"), plant.said["report-classes"]),
        (("model",), plant.said["report-model"]),
    ):
        now = json.loads(run("report", *report, "--format", "json"))
        kept = [{name: row[name] for name in old} for row, old in zip(now, before, strict=True)]
        assert kept == before
    parts = json.loads(run("report", "defect-rate", "--format", "json"))
    assert sum(row["parts"] for row in parts) > 0


def judges_as_it_did(plant: Plant) -> None:
    """The champion, from the features that 0.1.0 stored."""
    replayed = ("replay", "--since", "2020-01-01T00:00", "--product", "cable", "--format", "json")
    found = json.loads(run(*replayed))
    judged = [row for row in found if row["old_version"] == plant.known["champion"]]
    assert len(judged) >= len(plant.known["judged"])
    assert [row for row in judged if row["changed"]] == []


def learns_and_serves(plant: Plant) -> None:
    run("train", "cable")
    newest = json.loads(run("models", "list", "--format", "json"))[0]["version"]
    assert newest not in (plant.known["champion"], plant.known["challenger"])
    run("models", "promote", newest, "--force", "--why", "after the upgrade")
    run("models", "rollback", "cable")


def shows_itself(plant: Plant) -> None:
    """Every page of the console and its JSON, to somebody who may see all."""
    client = client_of(console_app(plant.engine), "admin")
    (part, *_) = plant.known["truth"].values()
    things = Things(
        product="cable",
        part=part[1].split("-")[0],
        lot="lot-1",
        line="line-1",
        camera="top",
        version=plant.known["champion"],
        defect_class="bent_wire",
    )
    addresses = [f"{path}?{query(things)}" for both in every_path(things) for path in both]

    def asked(address: str) -> int:
        answer = client.get(address)
        # A machine that stands still for seconds has its reading transactions ended.
        return (client.get(address) if answer.status_code == 503 else answer).status_code

    found = {address: asked(address) for address in addresses}
    assert not {address: code for address, code in found.items() if code not in (200, 404, 422)}
    assert list(found.values()).count(200) > 0.8 * len(found), found


def sends_its_spools(plant: Plant) -> None:
    """What was not sent is sent, what was and has no receipt goes again."""
    waiting = set()
    for path in plant.settings.spool_folder.glob("*.db"):
        outbox = Outbox(path)
        outbox.requeue_due()
        waiting |= {str(picture.image["id"]) for picture in outbox.queued(100)}
        outbox.close()
    assert waiting == set(plant.known["held"] + plant.known["queued"])


def test_the_way_back(
    plant: Plant,
    make_settings: Callable[..., Settings],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """A restored backup is what 0.1.0 left; what was judged since is found in what was upgraded."""
    before, url = rows(plant.engine), plant.settings.sql_url
    run("backup", str(tmp_path / "before"))
    run("restore", "--check", str(tmp_path / "before"))
    run("db", "upgrade")
    since = datetime.now(UTC)
    record = a_record(id=uuid4(), product="cable", decided_at=since, image_uri="/pictures/new.jpg")
    commit_inspections(plant.engine, [record], UTC)
    sqlite = url.startswith("sqlite")
    empty = f"sqlite:///{tmp_path / 'back.db'}"
    room = empty if sqlite else request.getfixturevalue("another_empty_postgresql_url")
    make_settings(
        data_dir=tmp_path / "back", database_url=room, spool_dir=tmp_path / "back" / "spool"
    )
    assert "is of revision 0007" in run("restore", str(tmp_path / "before"))
    assert "fail" not in run("restore", "--spools", str(tmp_path / "before"))
    assert migrate.current(room) == frozen.LAST_REVISION
    assert rows(engine_for(room)) == before
    models = plant.settings.data_dir / "models"
    for path in (p for p in models.rglob("*") if p.is_file()):
        back = tmp_path / "back" / "models" / path.relative_to(models)
        assert back.read_bytes() == path.read_bytes()
    for path in plant.settings.spool_folder.glob("*.db"):
        with sqlite3.connect(tmp_path / "back" / "spool" / path.name) as db:
            assert db.execute("SELECT count(*) FROM pictures").fetchone()[0] in (3, 6)
        db.close()
    with transaction(plant.engine) as connection:
        lost = text("SELECT image_uri FROM inspections WHERE decided_at >= :since")
        at = f"{since:%Y-%m-%d %H:%M:%S.%f}" if sqlite else since
        assert connection.execute(lost, {"since": at}).scalars().all() == ["/pictures/new.jpg"]


@pytest.fixture
def another_empty_postgresql_url(empty_postgresql_url: str, _postgresql: Any) -> Any:
    url = _postgresql.create()
    yield url
    _postgresql.drop(url)
