"""The spool's own copies of pictures whose source folder does not keep them long enough."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from linewatch.errors import SpoolError, SubmissionError
from linewatch.folder_sync import sync_folder

_CHUNK_BYTES = 1024 * 1024
_TRIES = 3


class Copy(NamedTuple):
    """A copy on disk, and when its source was last written to."""

    path: Path
    sha256: str
    bytes: int
    mtime_ns: int


def copy_picture(source: Path, folder: Path, name: str) -> Copy:
    """Copy a picture to `folder/name`, on disk when it returns.

    Raises:
        SubmissionError: the picture cannot be read, is no file, or is written to all the time.
        SpoolError: the copy cannot be written, as on a full disk; try again later.
    """
    target = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as writer:
            sha256, mtime_ns = _copied(source, writer)
            writer.flush()
            os.fsync(writer.fileno())
        sync_folder(folder)
        return Copy(target, sha256, target.stat().st_size, mtime_ns)
    except SubmissionError:
        target.unlink(missing_ok=True)
        raise
    except OSError as error:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
        raise SpoolError(
            f"{source} cannot be copied into the spool: {error}; see that {folder} has room and "
            "can be written to"
        ) from error


def _copied(source: Path, writer: BinaryIO) -> tuple[str, int]:
    """The hash of what was copied, and the source's modification time before and after it.

    Half of one picture and half of the next would be judged as either.
    """
    after = _state(source)
    for _ in range(_TRIES):
        before = after
        digest = hashlib.sha256()
        writer.seek(0)
        writer.truncate()
        for chunk in _chunks(source):
            digest.update(chunk)
            writer.write(chunk)
        after = _state(source)
        if after == before:
            return digest.hexdigest(), after[0]
    raise SubmissionError(
        f"{source} is written to whenever it is copied into the spool; submit it when it is whole"
    )


def _state(source: Path) -> tuple[int, int, int]:
    try:
        status = source.stat()
    except OSError as error:
        raise SubmissionError(f"{source} cannot be copied into the spool: {error}") from error
    return status.st_mtime_ns, status.st_size, status.st_ino


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for whoever may write to a pipe of that name."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with open(source, "rb", opener=_at_once) as reader:
            if not stat.S_ISREG(os.fstat(reader.fileno()).st_mode):
                raise SubmissionError(f"{source} is not a regular file and cannot be copied")
            while chunk := reader.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise SubmissionError(f"{source} cannot be copied into the spool: {error}") from error
