"""A copy of a backup's database that may be written to, to be checked and thrown away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db import copies
from db.outage import in_a_line
from db.session import engine_for, shown
from linewatch.backup.database import bring_back, require_alike
from linewatch.backup.manifest import DatabaseCopy
from linewatch.errors import BackupError


@contextmanager
def readable(copy: DatabaseCopy, backup: Path, url: str) -> Iterator[Engine]:
    """An engine on a copy of the copy: a recount writes, and takes it back.

    A SQLite file is copied into the folder for temporary files, PostgreSQL's archive is restored
    into a database of its own.

    Raises:
        BackupError: that cannot be made, or there is no such server.
        DatabaseError: the server does not answer.
    """
    if copy.kind == "sqlite":
        with _scratch_file(backup / copy.file) as engine:
            yield engine
        return
    require_alike(copy, url)
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(copies.scratch_database(url))
        except DBAPIError as error:
            raise BackupError(
                f"the copy cannot be opened on {shown(url)}: {in_a_line(error)}; name a user that "
                "may make databases, or restore it into an empty one, which checks the same"
            ) from error
        bring_back(copy, backup, scratch)
        yield engine_for(scratch)


@contextmanager
def _scratch_file(source: Path) -> Iterator[Engine]:
    """An engine on a copy of a SQLite file, which is gone at the end."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryDirectory(prefix="linewatch-check-"))
            target = Path(shutil.copyfile(source, Path(folder) / source.name))
        except OSError as error:
            raise BackupError(
                f"{source} cannot be copied to be checked: {error.strerror}; name a folder with "
                "room for it in TMPDIR"
            ) from None
        engine = engine_for(f"sqlite:///{target}")
        stack.callback(engine.dispose)
        yield engine
