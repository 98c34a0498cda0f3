"""The database, into a backup and back: a SQLite file, or PostgreSQL's archive."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from db import copies
from db.session import database_url, dispose, engine_for, explained, reading, shown, transaction
from linewatch.backup import postgresql
from linewatch.backup.folder import sync
from linewatch.backup.manifest import DatabaseCopy
from linewatch.errors import BackupError
from linewatch.private_files import FILE_MODE, make_folder
from linewatch.settings import Settings
from linewatch.sqlite_copy import copy_sqlite

_SQLITE, _ARCHIVE = "database.sqlite", "database.dump"


def copy_database(settings: Settings, backup: Path) -> DatabaseCopy:
    """Copy the database that the settings name, as it is at one moment.

    Raises:
        BackupError: PostgreSQL's program is missing or failed.
        DatabaseError: the database is away, has nothing of ours, or is behind a pooler.
        OSError, sqlite3.Error: the backup cannot be written.
    """
    if is_sqlite(settings.sql_url):
        return _copy_file(settings, backup)
    with explained(settings.sql_url), copies.snapshot(engine_for(settings.sql_url)) as snapshot:
        tool = postgresql.found_tool("pg_dump", snapshot.server)
        target = backup / _ARCHIVE
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        postgresql.dump(tool, snapshot.options, snapshot.password, snapshot.name, target)
        return _described(
            settings, "postgresql", _ARCHIVE, snapshot.contents, snapshot.server, tool.version
        )


def is_sqlite(url: str) -> bool:
    """Whether a database is a SQLite file."""
    return database_url(url).get_backend_name() == "sqlite"


def require_empty(url: str) -> None:
    """See that a database has no tables, so that nothing is overwritten.

    Raises:
        BackupError: it has; says how to make room.
        DatabaseError: it does not answer.
    """
    advice = "make a new one (`CREATE DATABASE …`) and name it in LINEWATCH_DATABASE_URL"
    if is_sqlite(url):
        path = _file(url)
        names = [f"{path.name}{end}" for end in ("-wal", "-shm", "-journal")]
        advice = f"stop what uses it and move {path} away, with {', '.join(names)} where they are"
        # A log that is left over would be played into the file that comes beside it.
        left = any(_size(path.with_name(name)) for name in names)
        if not _size(path) and left:
            raise BackupError(f"{path} is gone, and its log is not: {advice}")
        if not _size(path):
            return
    with explained(url), reading(engine_for(url)) as connection:
        found = copies.tables(connection)
    if found:
        raise BackupError(
            f"database {shown(url)} has {len(found)} tables ({found[0]} …), and nothing is "
            f"overwritten: {advice}"
        )


def require_alike(copy: DatabaseCopy, url: str) -> None:
    """See that a copy can be brought into such a database.

    Raises:
        BackupError: it is of the other kind, of a later PostgreSQL, or its program is missing.
        DatabaseError: the database does not answer.
    """
    if is_sqlite(url) != (copy.kind == "sqlite"):
        raise BackupError(
            f"the backup holds a database of {copy.kind}, and LINEWATCH_DATABASE_URL names "
            f"{shown(url)}: name one of the same kind"
        )
    if copy.server is not None:
        with explained(url), reading(engine_for(url)) as connection:
            server = copies.server_version(connection)
        if server < copy.server:
            raise BackupError(
                f"the backup is of PostgreSQL {copy.server}, and {shown(url)} is of {server}: "
                "restore it into one as new or newer"
            )
        postgresql.found_tool("pg_restore", copy.tool or copy.server)


def bring_back(copy: DatabaseCopy, backup: Path, url: str) -> None:
    """Make an empty database what the copy is: all of it, or nothing.

    Raises:
        BackupError: PostgreSQL's program is missing or failed, or a file cannot be written.
        DatabaseError: the database does not answer.
    """
    if copy.kind == "sqlite":
        _place_file(backup / copy.file, _file(url))
        return
    tool = postgresql.found_tool("pg_restore", copy.tool or 0)
    with explained(url):
        engine = engine_for(url)
        with reading(engine) as connection:
            options, password = copies.libpq_options(connection)
        postgresql.restore(tool, options, password, backup / copy.file)
        with transaction(engine) as connection:
            copies.settle(connection)


def _copy_file(settings: Settings, backup: Path) -> DatabaseCopy:
    source = _file(settings.sql_url)
    if not source.is_file():
        raise BackupError(f"there is no database {source}: nothing was ever stored here")
    copy_sqlite(source, backup / _SQLITE)
    engine = copies.opened(backup / _SQLITE)
    with explained(settings.sql_url), reading(engine) as connection:
        found = copies.contents(connection)
    return _described(settings, "sqlite", _SQLITE, found)


def _place_file(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.part")
    try:
        dispose()  # no connection may look at the file that is replaced
        make_folder(target.parent)
        draft.unlink(missing_ok=True)
        copy_sqlite(source, draft)
        draft.replace(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        cause = getattr(error, "strerror", None) or str(error)
        raise BackupError(f"{target} cannot be written: {cause}; see to its disk") from error


def _described(
    settings: Settings,
    kind: Literal["sqlite", "postgresql"],
    file: str,
    found: copies.Contents,
    server: int | None = None,
    tool: int | None = None,
) -> DatabaseCopy:
    return DatabaseCopy(
        kind=kind,
        file=file,
        **asdict(found),
        timezone=settings.plant_timezone,
        server=server,
        tool=tool,
    )


def _file(url: str) -> Path:
    name = database_url(url).database or ""
    if not name or name.startswith((":memory:", "file:")):
        raise BackupError(f"{shown(url)} is no file that could be copied: name one by its path")
    return Path(name)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
