"""Reads a picture's bytes from beneath the image roots, and from nowhere else.

A name may be swapped between a check and an open, so the file is opened first and the *opened*
file is checked: its real path, its kind, its size. Whatever leads outside the roots is answered
alike, whether anything lies there or not.
"""

from __future__ import annotations

import errno
import math
import os
import random
import stat
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from producer.contract import Reason
from vision.errors import Unjudgeable

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_NOT_A_FILE = (errno.ENXIO, errno.ENODEV)  # a socket, or a device that nobody drives
_LOCAL_HOSTS = (b"", b"localhost")


# What a network share says of a file that it may well give a moment later.
_PASSING = (
    errno.ESTALE,
    errno.EIO,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENOTCONN,
    errno.EAGAIN,
)
_CLOCKS_DIFFER_S = 1.0
_ROOTS_HOLD_S = 1.0  # a root that is led elsewhere is noticed within this
_PAUSES_S = (0.1, 0.5, 2.0)


class _PassingError(Unjudgeable):
    """Unreadable, but worth another try."""


class PictureFile(NamedTuple):
    """A file that was read, and its modification time then."""

    data: bytes
    mtime_ns: int


def read_picture(uri: str, *, roots: Sequence[Path], max_bytes: int) -> bytes:
    """The bytes of the file at `uri`; see `read_file`."""
    return read_file(uri, roots=roots, max_bytes=max_bytes).data


def read_file(uri: str, *, roots: Sequence[Path], max_bytes: int) -> PictureFile:
    """Read the file at `uri`, an absolute path or file:// URI.

    Args:
        uri: of a file:// URI the path is percent-decoded; a plain path is taken as it is.
        roots: the folders that pictures may lie in. Links within them are followed, links that
            lead out of them are not.
        max_bytes: the largest file that is read.

    Raises:
        Unjudgeable: outside_root, missing, not_a_file, empty, too_large, unreadable or changed;
            unreadable after three more tries if it is a network share's and may pass, and changed
            after as many if it is written to whenever it is read.
    """
    for pause_s in _PAUSES_S:
        try:
            return _read_once(uri, roots=roots, max_bytes=max_bytes)
        except _PassingError:
            time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
    return _read_once(uri, roots=roots, max_bytes=max_bytes)


def quiet_for_s(uri: str) -> float:
    """How long ago the file at `uri`, which was read before, was last written to, in seconds.

    Infinite where nobody can say, or where the share's clock is ahead of this one.
    """
    try:
        age = time.time() - Path(local_path(uri)).stat().st_mtime
    except OSError:
        return math.inf
    return age if age >= -_CLOCKS_DIFFER_S else math.inf


def _read_once(uri: str, *, roots: Sequence[Path], max_bytes: int) -> PictureFile:
    path = local_path(uri)
    fences, names = _fences(tuple(roots), int(time.monotonic() / _ROOTS_HOLD_S))
    _check_name(path, names)
    _check_beneath(os.path.realpath(path), fences)
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise _unopened(path, error) from None
    try:
        _check_beneath(_opened_path(descriptor, path), fences)
        return _read(descriptor, path, max_bytes)
    except OSError as error:
        raise _unreadable(f"{path} cannot be read", error) from None
    finally:
        os.close(descriptor)


@lru_cache(maxsize=4)  # a small picture is read in a sixth less time by it
def _fences(roots: tuple[Path, ...], moment: int) -> tuple[Sequence[str], Sequence[str]]:
    """Where the roots are now, and by which names they may be asked for.

    A root may be a link that is led elsewhere: `moment` has them looked up anew.
    """
    fences = [os.path.realpath(root) for root in roots]
    return fences, [*fences, *map(os.path.abspath, roots)]


def local_path(uri: str) -> str:
    """The absolute path that `uri` names.

    Raises:
        Unjudgeable: outside_root, for what names no file here: another scheme or host, a relative
            path, a NUL byte.
    """
    try:
        raw = uri.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Unjudgeable(Reason.OUTSIDE_ROOT, f"{uri!a:.200} is not a file name") from None
    if raw[:7].lower() == b"file://":
        host, slash, rest = raw[7:].partition(b"/")
        if host.lower() not in _LOCAL_HOSTS:
            raise Unjudgeable(Reason.OUTSIDE_ROOT, f"{uri!a:.200} names another host's file")
        raw = slash + unquote_to_bytes(rest)
    if b"\0" in raw:
        raise Unjudgeable(Reason.OUTSIDE_ROOT, f"{uri!a:.200} holds a NUL byte")
    if not raw.startswith(b"/"):
        detail = f"{uri!a:.200} is neither an absolute path nor a file:// URI"
        raise Unjudgeable(Reason.OUTSIDE_ROOT, detail)
    return os.fsdecode(raw)


def _check_name(path: str, fences: Sequence[str]) -> None:
    if not fences:
        detail = "no image root is set; name the pictures' folder in LINEWATCH_IMAGE_ROOTS"
        raise Unjudgeable(Reason.OUTSIDE_ROOT, detail)
    _check_beneath(os.path.normpath(path), fences)


def _check_beneath(path: str, fences: Sequence[str]) -> None:
    """Compare folder by folder: /data/pictures-old is not beneath /data/pictures."""
    if any(path == fence or path.startswith(f"{fence.rstrip('/')}/") for fence in fences):
        return
    # The path asked for, not the one that a link led to: that may be nobody's business.
    detail = "the path leads outside the folders in LINEWATCH_IMAGE_ROOTS"
    raise Unjudgeable(Reason.OUTSIDE_ROOT, detail)


def _unopened(path: str, error: OSError) -> Unjudgeable:
    if error.errno in _MISSING:
        return Unjudgeable(Reason.MISSING, f"{path} does not exist")
    if error.errno in _NOT_A_FILE:
        return Unjudgeable(Reason.NOT_A_FILE, f"{path} is not a regular file")
    return _unreadable(f"{path} cannot be opened", error)


def _unreadable(what: str, error: OSError) -> Unjudgeable:
    kind = _PassingError if error.errno in _PASSING else Unjudgeable
    return kind(Reason.UNREADABLE, f"{what}: {error.strerror}")


def _opened_path(descriptor: int, path: str) -> str:
    """The real path of the open file, from the kernel where it tells."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - a tenth of Path's cost
    except OSError:
        real = os.path.realpath(path)
        if not os.path.samestat(Path(real).stat(), os.fstat(descriptor)):
            raise Unjudgeable(Reason.UNREADABLE, f"{path} was replaced while opened") from None
        return real


def _read(descriptor: int, path: str, max_bytes: int) -> PictureFile:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Unjudgeable(Reason.NOT_A_FILE, f"{path} is not a regular file")
    if status.st_size > max_bytes:
        detail = f"{path} has {status.st_size} bytes; LINEWATCH_MAX_IMAGE_BYTES is {max_bytes}"
        raise Unjudgeable(Reason.TOO_LARGE, detail)
    chunks: list[bytes] = []
    total = 0
    while chunk := os.read(descriptor, status.st_size - total + 1 if not chunks else 1 << 20):
        chunks.append(chunk)
        total += len(chunk)
        if total > max_bytes:
            detail = f"{path} grew beyond LINEWATCH_MAX_IMAGE_BYTES ({max_bytes}) while read"
            raise Unjudgeable(Reason.TOO_LARGE, detail)
    if not total:
        raise Unjudgeable(Reason.EMPTY, f"{path} is empty")
    after = os.fstat(descriptor)
    if (after.st_mtime_ns, after.st_size) != (status.st_mtime_ns, total):
        # Half of one picture and half of another would be judged as either.
        raise _PassingError(Reason.CHANGED, f"{path} was written to while it was read")
    return PictureFile(chunks[0] if len(chunks) == 1 else b"".join(chunks), after.st_mtime_ns)
