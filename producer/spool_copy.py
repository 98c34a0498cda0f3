"""A spool copied with the pictures that it holds itself, and put back where none is.

A copy that is put back sends again whatever had no receipt when it was made. What was judged since
is in the database already: its id makes the second delivery harmless, and the receipt clears it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from linewatch.errors import SpoolError
from linewatch.folder_sync import sync_folder
from linewatch.private_files import FILE_MODE, make_folder
from linewatch.sqlite_copy import copy_sqlite
from producer.inbox import printable

_PICTURES = ".pictures"


@dataclass(frozen=True, slots=True)
class CopiedSpool:
    """What a copy holds: pictures without a receipt, and how many of their files."""

    producer: str
    pictures: int
    copies: int


def copy_spool(source: Path, target: Path) -> CopiedSpool:
    """Copy a spool that may be in use, first its rows, then the pictures that they name.

    A picture's file that is gone by then was judged and had its receipt in between.

    Args:
        source: the spool's file.
        target: where its copy goes; the pictures go into `NAME.pictures` beside it.

    Raises:
        SpoolError: the source is no spool.
        OSError, sqlite3.Error: it cannot be read, or the target cannot be written.
    """
    copy_sqlite(source, target)
    with closing(sqlite3.connect(target)) as db:
        try:
            names = [row[0] for row in db.execute("SELECT copy FROM pictures WHERE copy <> ''")]
            (pictures,) = db.execute("SELECT count(*) FROM pictures").fetchone()
            producer = db.execute("SELECT value FROM meta WHERE key = 'producer'").fetchone()
        except sqlite3.Error as error:
            raise SpoolError(f"{source} is no spool: {error}; move it out of the folder") from None
    copied = 0
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            _copy_private(_beside(source) / name, _beside(target) / name)
            copied += 1
    return CopiedSpool(str(producer[0]) if producer else "", int(pictures), copied)


def put_back(copy: Path, target: Path) -> None:
    """Make a spool of a copy, under a producer id of its own: the old one may still be alive.

    Args:
        copy: the copy's file, with its pictures beside it.
        target: where no spool is yet.

    Raises:
        SpoolError: there is a spool, or it cannot be written.
    """
    for path in (target, target.with_name(f"{target.name}-wal"), _beside(target)):
        if path.is_dir() and not any(path.iterdir()):
            continue
        if os.path.lexists(path):
            raise SpoolError(
                f"{path} is there already and newer than the copy: nothing is overwritten. Send "
                "what it holds with `linewatch spool flush --wait`, then move it away"
            )
    made: list[Path] = []
    draft = target.with_name(f".{target.name}.part")
    try:
        make_folder(target.parent)
        for picture in sorted(_beside(copy).glob("*")):
            made.append(_beside(target) / picture.name)
            _copy_private(picture, made[-1])
        draft.unlink(missing_ok=True)
        made.append(draft)
        copy_sqlite(copy, draft)
        _at_home(draft, target)
        draft.rename(target)
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        _remove(made)
        cause = getattr(error, "strerror", None) or str(error)
        raise SpoolError(
            f"the spool {target} cannot be put back: {cause}; see that its disk has room"
        ) from error
    except BaseException:
        _remove(made)
        raise


def _at_home(spool: Path, target: Path) -> None:
    """Forget whose spool it was, and name its pictures where they lie now."""
    with closing(sqlite3.connect(spool)) as db, db:
        db.execute("DELETE FROM meta WHERE key = 'producer'")
        held = db.execute("SELECT seq, copy FROM pictures WHERE copy <> ''").fetchall()
        db.executemany(
            "UPDATE pictures SET image = json_set(image, '$.uri', ?) WHERE seq = ?",
            [(printable(_beside(target.absolute()) / name), seq) for seq, name in held],
        )


def _beside(spool: Path) -> Path:
    return spool.with_suffix(_PICTURES)


def _copy_private(source: Path, target: Path) -> None:
    with source.open("rb") as reader:  # first: no empty file where there is nothing to copy
        make_folder(target.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(target, flags, FILE_MODE), "wb") as writer:  # noqa: PTH123 - private
            shutil.copyfileobj(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
