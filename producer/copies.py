"""The spool's own copies of pictures whose source folder does not keep them long enough."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from linewatch.errors import SpoolError, SubmissionError

_CHUNK_BYTES = 1024 * 1024


class Copy(NamedTuple):
    """A copy on disk."""

    path: Path
    sha256: str
    bytes: int


def copy_picture(source: Path, folder: Path, name: str) -> Copy:
    """Copy a picture to `folder/name`, on disk when it returns.

    Raises:
        SubmissionError: the picture cannot be read.
        SpoolError: the copy cannot be written, as on a full disk; try again later.
    """
    target = folder / name
    digest = hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as writer:
            for chunk in _chunks(source):
                digest.update(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return Copy(target, digest.hexdigest(), target.stat().st_size)
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


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as reader:
            while chunk := reader.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise SubmissionError(f"{source} cannot be copied into the spool: {error}") from error
