"""What a picture's file holds at `submit`, in the words of the contract's `seen`."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from producer.contract import Seen
from producer.contract.seen import BLOCK_BYTES, sampled_blocks

_CHUNK_BYTES = 1024 * 1024
_TRIES = 3
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a pipe must not hold the line up
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Look(NamedTuple):
    """A file's size and hash, and its modification time when they were taken."""

    seen: Seen
    mtime_ns: int


def look(path: Path, most_bytes: int) -> Look | None:
    """Size and hash of the file at `path`; None where there is none that this PC can read.

    Reads about `most_bytes` at most: of a larger file evenly spread blocks. A hash of its head
    would be cheaper and blind: two uncompressed pictures of a camera may differ in a scratch alone.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    try:
        return _look(descriptor, most_bytes)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _look(descriptor: int, most_bytes: int) -> Look | None:
    after = os.fstat(descriptor)
    if not stat.S_ISREG(after.st_mode):
        return None
    for _ in range(_TRIES):
        before = after
        every = _every(before.st_size, most_bytes)
        sha256 = _hash(descriptor, before.st_size, every)
        after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
            break  # else it was written to meanwhile
    seen = Seen(size=before.st_size, sha256=sha256, every=every)
    return Look(seen, before.st_mtime_ns)


def _every(size: int, most_bytes: int) -> int:
    if size <= most_bytes:
        return 1
    blocks, most = -(-size // BLOCK_BYTES), max(1, most_bytes // BLOCK_BYTES)
    return max(2, -(-blocks // most))


def _hash(descriptor: int, size: int, every: int) -> str:
    digest = hashlib.sha256()
    if every > 1:
        for start in sampled_blocks(size, every):
            os.lseek(descriptor, start, os.SEEK_SET)
            digest.update(os.read(descriptor, BLOCK_BYTES))
        return digest.hexdigest()
    os.lseek(descriptor, 0, os.SEEK_SET)
    while chunk := os.read(descriptor, min(_CHUNK_BYTES, size + 1)):
        digest.update(chunk)
    return digest.hexdigest()
