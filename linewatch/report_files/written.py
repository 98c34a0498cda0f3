"""Writing a file whole: under another name first, so that nobody ever reads half a report."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from linewatch.errors import ReportError
from linewatch.plain_text import visible


def refuse_taken(path: Path, *, replace: bool) -> None:
    """Make sure that a file may be written there.

    Raises:
        ReportError: it exists and is not to be replaced, or there is no such folder.
    """
    try:
        _refuse(path, replace)
    except (OSError, ValueError) as error:  # a name too long, or one that holds a NUL
        raise ReportError(f"{visible(str(path))!r} cannot be a file: {error}") from None


def _refuse(path: Path, replace: bool) -> None:
    if "\0" in str(path):
        raise ValueError("it holds a NUL")
    if path.is_dir():
        raise ReportError(f"{str(path)!r} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ReportError(f"{str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    if path.exists() and not path.is_file():
        raise ReportError(f"{str(path)!r} is no ordinary file; name another")
    if path.exists() and not replace:
        raise ReportError(f"{str(path)!r} exists; name another file, or replace it with --force")


def write_whole(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file beside its place, then give it its name; a reader sees all of it or the old one.

    Raises:
        ReportError: see `refuse_taken`; or the disk is full, or the folder may not be written to.
    """
    refuse_taken(path, replace=replace)  # again: making a report takes a while
    draft = path.with_name(f".report-{secrets.token_hex(6)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise ReportError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
