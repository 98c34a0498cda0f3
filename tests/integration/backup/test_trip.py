"""What is restored is what was there, on both databases."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from db import audit, migrate
from db.inspections.inspections import commit_inspections
from db.schema import metadata
from db.session import engine_for, reading, transaction
from linewatch.backup.check import check_backup
from linewatch.backup.folder import read_manifest
from linewatch.backup.make import make_backup
from linewatch.backup.restore import restore
from linewatch.doctor.findings import State
from linewatch.errors import BackupError
from linewatch.settings import Settings
from model_store.copies import all_versions
from model_store.store import ModelStore
from tests.integration.backup.conftest import store_a_model
from tests.support.database_users import database_users
from tests.support.records import a_record, random_records
from workers.retention.purge import Purge

Make = Callable[..., Settings]


def rows_of(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table but the audit log, which says who made the backup."""
    with reading(engine) as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(table.select()))
            for table in metadata.sorted_tables
            if table.name != "audit_log"
        }


def states(findings: list[Any]) -> dict[str, str]:
    return {finding.check: str(finding.state) for finding in findings}


def test_what_is_restored_is_what_was_there(
    plant: Settings, room: str, make_settings: Make, tmp_path: Path
) -> None:
    backup, engine = tmp_path / "backups" / "monday", engine_for(plant.sql_url)
    before = rows_of(engine)
    made = make_backup(backup, plant, by="ann")
    assert made.not_audited is None
    (entry,) = audit.newest(engine, 1)
    assert (entry.actor, entry.action, entry.subject) == ("ann", "backup.make", str(backup))
    assert entry.detail["manifest_sha256"] == made.manifest_sha256
    assert all(
        stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        for path in (backup, *backup.rglob("*"))
    )
    kept = {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()}
    good = dict.fromkeys(("files", "database", "audit log", "recount", "parts", "models"), "ok")
    assert states(list(check_backup(backup, plant))) == good

    new = make_settings(database_url=room, model_store_url=tmp_path / "new" / "models")
    found = states(list(restore(backup, new, by="bob")))
    del good["files"]
    assert found == good | ({} if room.startswith("sqlite") else {"rights": "warn"})
    assert rows_of(engine_for(room)) == before
    assert migrate.check(room) is None
    assert all_versions(new.models_url) == all_versions(plant.models_url)
    (entry, *_) = audit.newest(engine_for(room), 1)
    assert (entry.actor, entry.action) == ("bob", "backup.restore")
    assert audit.verify(engine_for(room), head=made.manifest.database.audit_head).problem is None
    assert {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()} == kept
    with pytest.raises(BackupError, match="nothing is overwritten"):
        list(restore(backup, new, by="bob"))


def test_a_restored_database_takes_new_verdicts(
    plant: Settings, room: str, make_settings: Make, tmp_path: Path
) -> None:
    """Its sequences go on, and functions that act as their owner are not everybody's.

    Roles that had rights in the copied database need not be there.
    """
    sqlite = room.startswith("sqlite")
    with nullcontext() if sqlite else database_users(plant.sql_url):
        make_backup(tmp_path / "b", plant, by="ann")
    new = make_settings(database_url=room, model_store_url=tmp_path / "new" / "models")
    list(restore(tmp_path / "b", new, by="bob"))
    assert commit_inspections(engine_for(room), random_records(8, 3), UTC)
    store_a_model(new)
    if not sqlite:
        with reading(engine_for(room)) as connection:
            query = text(
                "SELECT proname FROM pg_proc WHERE proname LIKE 'linewatch%'"
                " AND has_function_privilege('public', oid, 'EXECUTE')"
            )
            assert connection.execute(query).scalars().all() == []


def test_a_copy_is_of_one_moment_while_workers_write(plant: Settings, tmp_path: Path) -> None:
    engine, stop, written = engine_for(plant.sql_url), threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            written.append(commit_inspections(engine, [a_record()], plant.timezone))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        made = make_backup(tmp_path / "b", plant, by="ann")
    finally:
        stop.set()
        worker.join()
    assert made.manifest.database is not None
    assert 40 <= made.manifest.database.rows["inspections"] < 40 + len(written)
    assert {f.state for f in check_backup(tmp_path / "b", plant)} == {State.OK}


def test_a_changed_audit_entry_is_found(plant: Settings, tmp_path: Path) -> None:
    with transaction(engine_for(plant.sql_url)) as connection:
        connection.execute(text("UPDATE audit_log SET actor = 'bob' WHERE id = 2"))
    make_backup(tmp_path / "b", plant, by="ann")
    wrong = [f for f in check_backup(tmp_path / "b", plant) if f.state is State.FAIL]
    assert [(f.check, f.detail) for f in wrong] == [("audit log", "entry 2 was changed")]


def test_purged_inspections_are_no_fault(
    plant: Settings, make_settings: Make, tmp_path: Path
) -> None:
    """Those that a limit or an entry of the audit log explains; any other difference is one."""
    settings = make_settings(retention_inspections_days=1)
    engine = engine_for(plant.sql_url)
    new = a_record(decided_at=datetime.now(UTC))
    commit_inspections(engine, [new, a_record(part=None)], plant.timezone)
    Purge(engine, settings, by="ann").run()
    make_settings(retention_inspections_days="")
    make_backup(tmp_path / "b", plant, by="ann")
    found = {f.check: f for f in check_backup(tmp_path / "b", plant)}
    assert found["recount"].state is State.OK
    assert "that were purged" in found["recount"].detail
    assert found["parts"].state is State.OK
    assert "that were purged" in found["parts"].detail
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE inspection_hourly SET count = 7 WHERE hour > :at"),
            {"at": (datetime.now(UTC) - timedelta(hours=5)).replace(tzinfo=None)},
        )
        connection.execute(text("UPDATE part_shift_counts SET parts = parts + 1"))
    make_backup(tmp_path / "c", plant, by="ann")
    found = {f.check: f for f in check_backup(tmp_path / "c", plant)}
    assert found["recount"].state is State.FAIL
    assert "it says 7, and 1 are there" in found["recount"].detail
    assert found["parts"].state is State.FAIL
    assert "0 parts are not what pictures and people say, and counts" in found["parts"].detail


def test_an_older_schema_is_copied_and_upgraded_once_it_is_back(
    database_url: str, room: str, make_settings: Make, tmp_path: Path
) -> None:
    migrate.downgrade(database_url, "base")
    migrate.upgrade(database_url, "0008")
    with transaction(engine_for(database_url)) as connection:
        insert = "INSERT INTO inspections (id, verdict, decided_at, attempt)"
        for id_ in (uuid4().hex, uuid4().hex):
            values = f"VALUES ('{id_}', 'pass', '2026-03-02 12:30:00.000000', 1)"
            connection.execute(text(f"{insert} {values}"))
    plant = make_settings(database_url=database_url, data_dir=tmp_path / "var")
    made = make_backup(tmp_path / "b", plant, by="ann")
    sentence = "the database is of revision 0008, which only its own version writes to"
    assert made.not_audited == sentence
    found = {f.check: f for f in check_backup(tmp_path / "b", plant)}
    assert states(list(found.values())) == {
        "files": "ok",
        "database": "ok",
        "schema": "warn",
        "models": "ok",
    }
    assert "audit log, counts and parts are not looked at" in found["schema"].detail
    assert "`linewatch db upgrade`" in found["schema"].detail
    new = make_settings(database_url=room, model_store_url=tmp_path / "new" / "models")
    back = {f.check: f for f in restore(tmp_path / "b", new, by="bob")}
    assert "fail" not in states(list(back.values())).values()
    assert "rights" not in back or "db roles --apply`, of the version" in back["rights"].detail
    migrate.upgrade(room)
    assert migrate.check(room) is None
    with reading(engine_for(room)) as connection:
        assert connection.scalar(text("SELECT count(*) FROM inspections")) == 2


def test_a_cut_off_restore_is_repeated(
    plant: Settings, room: str, make_settings: Make, tmp_path: Path
) -> None:
    """It left models behind that are the backup's own; a store with others is not touched."""
    version = store_a_model(plant)
    make_backup(tmp_path / "b", plant, by="ann")
    new = make_settings(database_url=room, model_store_url=tmp_path / "new")
    folder = tmp_path / "new" / "cable" / version
    folder.parent.mkdir(parents=True)
    os.link(tmp_path / "part.png", tmp_path / "new" / "somebody's.png")
    for path in sorted((tmp_path / "b" / "models" / "cable" / version).iterdir()):
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    other = folder.with_name("cable-other")
    folder.rename(other)
    with pytest.raises(BackupError, match="cable-other, which is not of this backup"):
        list(restore(tmp_path / "b", new, by="bob"))
    other.rename(folder)
    list(restore(tmp_path / "b", new, by="bob"))
    assert len(ModelStore(new.models_url).versions("cable")) == 2
    assert len(read_manifest(tmp_path / "b").models) == 2
