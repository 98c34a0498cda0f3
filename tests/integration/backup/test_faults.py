"""A backup that is cut, changed or cannot be made is found out, and nothing is half done."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from db import audit, copies
from db.session import dispose, engine_for, reading, transaction
from linewatch.backup import postgresql
from linewatch.backup.check import check_backup
from linewatch.backup.folder import digest, read_manifest, whole
from linewatch.backup.make import make_backup
from linewatch.backup.restore import restore
from linewatch.backup.spools import restore_spools
from linewatch.cli import cli
from linewatch.doctor.findings import State
from linewatch.errors import BackupError, DatabaseError
from linewatch.settings import Settings
from tests.acceptance.faults.small_disk import small_disk
from tests.integration.backup.conftest import SECRET
from tests.support.pgbouncer import pgbouncer
from tests.support.waiting import until

Make = Callable[..., Settings]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: what is tried here has nothing to do with the database's kind."""
    return sqlite_url


@pytest.fixture
def backup(plant: Settings, tmp_path: Path) -> Path:
    make_backup(tmp_path / "b", plant, by="ann")
    return tmp_path / "b"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def reseal(backup: Path, **database: object) -> None:
    """Make a manifest of what is there now, as somebody could who can write to the folder."""
    manifest = json.loads((backup / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = digest(backup / name).model_dump()
    manifest["database"] |= database
    (backup / "manifest.json").write_text(json.dumps(manifest))


def flip_a_model(backup: Path) -> None:
    (head,) = backup.glob("models/cable/*/head.safetensors")
    flip(head)


def flip_the_database(backup: Path) -> None:
    flip(backup / "database.sqlite")


def lose_the_spool(backup: Path) -> None:
    (backup / "spools" / "line-1@cam-1.db").unlink()


def add_a_file(backup: Path) -> None:
    (backup / "models" / "more").write_text("x")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (flip_a_model, "head.safetensors is not the file that was written"),
        (flip_the_database, "database.sqlite is not the file that was written"),
        (lose_the_spool, "line-1@cam-1.db is missing"),
        (add_a_file, "models/more is not of this backup"),
    ],
)
def test_a_changed_file_is_found_and_nothing_is_restored(
    backup: Path,
    plant: Settings,
    make_settings: Make,
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    spoil(backup)
    (finding,) = check_backup(backup, plant)
    assert finding.state is State.FAIL
    assert words in finding.detail
    new = make_settings(data_dir=backup.parent / "new", database_url="")
    with pytest.raises(BackupError, match="nothing was restored"):
        list(restore(backup, new, by="bob"))
    assert not new.data_dir.exists()


def sql(statement: str) -> Callable[[Path], None]:
    def change(backup: Path) -> None:
        with closing(sqlite3.connect(backup / "database.sqlite")) as db, db:
            db.execute(statement)

    return change


def write_the_audit_log_anew(backup: Path) -> None:
    """Its end: each entry that is there then follows the one before it."""
    engine = engine_for(f"sqlite:///{backup / 'database.sqlite'}")
    with transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM audit_log WHERE id > 1")
        for _ in range(2):
            audit.append(connection, "ann", "label.add", "labels")
    dispose()


@pytest.mark.parametrize(
    ("spoil", "checks", "words"),
    [
        (write_the_audit_log_anew, ["audit log"], "its chain holds, but ends with"),
        (flip_a_model, ["models"], "is not the file that was saved"),
        (sql("UPDATE audit_log SET subject = 'x' WHERE id = 2"), ["audit log"], "entry 2 was"),
        (
            sql("UPDATE inspections SET line = 'L9' WHERE line = 'L1'"),
            ["recount", "parts"],
            "differs",
        ),
        (
            sql("UPDATE part_counts SET parts = 9"),
            ["parts"],
            "0 parts are not what pictures",
        ),
        (sql("UPDATE parts SET disposition = 'open'"), ["parts"], "counts differ in"),
        (sql("DELETE FROM labels"), ["database", "parts"], "labels has 0 rows, and had 5"),
        (
            sql("UPDATE labelled_pictures SET verdict = 'pass', label = 'x'"),
            ["parts"],
            "5 labelled pictures and 0 hours of pictures, as reports read them, are not what",
        ),
        (sql("UPDATE model_versions SET manifest_sha256 = 'x'"), ["models"], "is not the one that"),
        (sql("UPDATE alembic_version SET version_num = '0009'"), ["database"], "and was at"),
    ],
)
def test_who_writes_the_digests_anew_is_found_by_what_is_inside(
    backup: Path, plant: Settings, spoil: Callable[[Path], None], checks: list[str], words: str
) -> None:
    spoil(backup)
    reseal(backup)
    wrong = [finding for finding in check_backup(backup, plant) if finding.state is State.FAIL]
    assert [finding.check for finding in wrong] == checks
    assert words in wrong[0].detail


def test_a_damaged_page_is_found(backup: Path, plant: Settings) -> None:
    path = backup / "database.sqlite"
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'labels'"
        (page,) = db.execute(query).fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = bytes(size)
    path.write_bytes(data)
    reseal(backup)
    wrong = [finding for finding in check_backup(backup, plant) if finding.state is State.FAIL]
    assert wrong[0].check == "database"
    assert "its file is damaged" in wrong[0].detail


def test_a_cut_backup_is_none(backup: Path, plant: Settings) -> None:
    path = backup / "manifest.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BackupError, match="cut, damaged or of a later version"):
        list(check_backup(backup, plant))
    path.unlink()
    with pytest.raises(BackupError, match="only a part of one"):
        list(check_backup(backup, plant))


def test_a_later_schema_is_refused(plant: Settings, tmp_path: Path) -> None:
    with transaction(engine_for(plant.sql_url)) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    make_backup(tmp_path / "b", plant, by="ann")
    for attempt in (check_backup(tmp_path / "b", plant), restore(tmp_path / "b", plant, by="b")):
        with pytest.raises(BackupError, match="revision 9999, which this version"):
            list(attempt)


def test_no_secret_is_in_it_and_each_is_named(backup: Path) -> None:
    for path in backup.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path
    rows = {row["name"]: row for row in json.loads((backup / "settings.json").read_text())}
    assert rows["LINEWATCH_PLANT_TIMEZONE"]["value"] == "Asia/Kolkata"
    assert [each.name for each in read_manifest(backup).secrets] == ["LINEWATCH_SIGNING_KEYS"]


def test_a_full_disk_leaves_nothing(plant: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        disk.fill()
        for bytes_left in (0, 8192, 400_000):
            ballast = disk.folder / "ballast"
            os.truncate(ballast, ballast.stat().st_size - bytes_left)
            with pytest.raises(BackupError, match=r"No space left|is full") as caught:
                make_backup(disk.folder / "b", plant, by="ann")
            assert len(str(caught.value).splitlines()) == 1
            assert list(disk.folder.iterdir()) == [ballast]


def test_nothing_is_overwritten(backup: Path, plant: Settings, make_settings: Make) -> None:
    with pytest.raises(BackupError, match="exists already"):
        make_backup(backup, plant, by="ann")
    with pytest.raises(BackupError, match=r"tables .*move .* away"):
        list(restore(backup, plant, by="bob"))
    new = make_settings(data_dir=backup.parent / "new", database_url="")
    new.data_dir.mkdir()
    (new.data_dir / "linewatch.db-wal").write_bytes(b"left over")
    with pytest.raises(BackupError, match="its log is not"):
        list(restore(backup, new, by="bob"))
    other = make_settings(database_url="postgresql://u@127.0.0.1:1/x")
    with pytest.raises(BackupError, match="name one of the same kind"):
        list(restore(backup, other, by="bob"))


def test_a_damaged_model_does_not_keep_the_rest_from_being_saved(
    plant: Settings, tmp_path: Path
) -> None:
    (head,) = Path(plant.models_url).glob("cable/*/head.safetensors")
    flip(head)
    made = make_backup(tmp_path / "b", plant, by="ann")
    assert made.manifest.models == ()
    assert "is not the file that was saved" in made.manifest.left_out[0]
    found = [f for f in check_backup(tmp_path / "b", plant) if f.state is not State.OK]
    assert [(f.check, f.state) for f in found] == [("models", State.WARN)]


def test_a_camera_pc_needs_no_database(plant: Settings, tmp_path: Path) -> None:
    """Its spools are copied, and put back, where no SQL package is installed."""
    missing = "import sys; sys.modules.update(dict.fromkeys(['sqlalchemy', 'numpy', 'fsspec']))"
    run = f"{missing}; sys.argv[0] = 'linewatch'; from linewatch.cli import main; main()"

    def linewatch(*words: str) -> str:
        command = [sys.executable, "-c", run, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    backup = str(tmp_path / "b")
    assert "spools: 1, 1 pictures" in linewatch("backup", backup, "--spools")
    shutil.rmtree(plant.spool_folder)
    none = tmp_path / "none"
    assert "spools: 0, 0 pictures" in linewatch("backup", str(none), "--spools")
    with pytest.raises(BackupError, match="holds no spools"):
        list(restore_spools(none, whole(none), plant.spool_folder))
    assert "1 pictures are sent again" in linewatch("restore", backup, "--spools")
    assert len(list(plant.spool_folder.rglob("*.png"))) == 1
    with pytest.raises(BackupError, match="spools alone"):
        list(restore(tmp_path / "b", plant, by="bob"))


def test_as_typed(plant: Settings, tmp_path: Path) -> None:
    backup = str(tmp_path / "b")
    made = CliRunner().invoke(cli, ["backup", backup], catch_exceptions=False)
    assert made.exit_code == 0
    assert "40 inspections" in made.output
    assert "keep it yourself: LINEWATCH_SIGNING_KEYS" in made.output
    checked = ["restore", "--check", backup, "--format", "json"]
    done = CliRunner().invoke(cli, checked, catch_exceptions=False, standalone_mode=False)
    assert {row["state"] for row in json.loads(done.output)} == {"ok"}
    assert done.return_value == 0
    add_a_file(tmp_path / "b")
    done = CliRunner().invoke(cli, checked, catch_exceptions=False, standalone_mode=False)
    assert done.return_value == 1


class TestPostgreSQL:
    """What only its programs can do wrong."""

    @pytest.fixture
    def database_url(self, postgresql_url: str) -> str:
        return postgresql_url

    def test_no_password_is_on_a_command_line(
        self,
        plant: Settings,
        make_settings: Make,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        real, told = shutil.which("pg_dump"), tmp_path / "told"
        assert real
        wrapper = tmp_path / "bin" / "pg_dump"
        wrapper.parent.mkdir()
        wrapper.write_text(f'#!/bin/sh\necho "$@" >> {told}\nexec {real} "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
        url = plant.database_url.replace("postgres@", f"postgres:{SECRET}@")
        assert SECRET in url
        make_backup(tmp_path / "b", make_settings(database_url=url), by="ann")
        assert "--format=custom" in told.read_text()
        assert SECRET not in told.read_text()
        named = {each.name for each in read_manifest(tmp_path / "b").secrets}
        assert "LINEWATCH_DATABASE_URL" in named
        assert SECRET not in (tmp_path / "b" / "settings.json").read_text()

    def test_a_missing_or_failing_program_is_one_sentence(
        self, plant: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgresql, "SERVERS", tmp_path)
        folder = tmp_path / "bin"
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))
        with pytest.raises(BackupError, match=r"no pg_dump of PostgreSQL .* install postgresql-cl"):
            make_backup(tmp_path / "b", plant, by="ann")
        program = folder / "pg_dump"
        program.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit\n'
            'echo "pg_dump: error: could not write to output file: No space left on device" >&2\n'
            "exit 1\n"
        )
        program.chmod(0o755)
        with pytest.raises(BackupError, match="pg_dump failed: error: could not write"):
            make_backup(tmp_path / "b", plant, by="ann")
        assert not list(tmp_path.glob("*b*.part"))
        assert not (tmp_path / "b").exists()

    def test_an_archive_that_breaks_off_leaves_the_database_empty(
        self,
        plant: Settings,
        empty_postgresql_url: str,
        make_settings: Make,
        tmp_path: Path,
    ) -> None:
        make_backup(tmp_path / "b", plant, by="ann")
        archive = tmp_path / "b" / "database.dump"
        os.truncate(archive, archive.stat().st_size - 2000)
        reseal(tmp_path / "b")
        new = make_settings(database_url=empty_postgresql_url, model_store_url=tmp_path / "new")
        for attempt in (check_backup(tmp_path / "b", plant), restore(tmp_path / "b", new, by="b")):
            with pytest.raises(BackupError, match="pg_restore failed"):
                list(attempt)
        with reading(engine_for(empty_postgresql_url)) as connection:
            assert copies.tables(connection) == []
        reseal(tmp_path / "b", server=99)
        with pytest.raises(BackupError, match="restore it into one as new or newer"):
            list(check_backup(tmp_path / "b", plant))

    def test_a_backup_that_is_killed_is_none(
        self, plant: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nor does its pg_dump go on."""
        program, told = tmp_path / "bin" / "pg_dump", tmp_path / "told"
        program.parent.mkdir()
        program.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit\n'
            f"echo $$ > {told}.new && mv {told}.new {told}\nexec sleep 60\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/bin")
        code = (
            "import sys, pathlib; from linewatch.backup import postgresql; from linewatch.cli "
            f"import main; postgresql.SERVERS = pathlib.Path('{tmp_path}'); main()"
        )
        command = [sys.executable, "-c", code, "backup", str(tmp_path / "b")]
        backup = subprocess.Popen(command)
        until(told.exists)
        backup.kill()
        backup.wait()
        until(lambda: not Path(f"/proc/{told.read_text().strip()}").exists())
        assert not (tmp_path / "b").exists()
        (part,) = tmp_path.glob(".b.*.part")
        with pytest.raises(BackupError, match="only a part of one"):
            list(check_backup(part, plant))

    def test_a_pooler_is_no_place_to_copy_from(
        self, plant: Settings, make_settings: Make, tmp_path: Path
    ) -> None:
        """It lends a session for a transaction; pg_dump would leave its settings to others."""
        with pgbouncer(plant.sql_url) as url:
            settings = make_settings(database_url=url)
            with pytest.raises(DatabaseError, match="name the server itself"):
                make_backup(tmp_path / "b", settings, by="ann")
            dispose()
