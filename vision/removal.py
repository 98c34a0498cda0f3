"""Deletes a picture's file beneath the image roots, and nowhere else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from vision.errors import Unjudgeable
from vision.source import local_path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
_NOT_OURS = (*_NOT_THERE, errno.ELOOP)
_NO_FILE = (*_NOT_OURS, errno.ENAMETOOLONG, errno.EINVAL)


class Files:
    """A set of files, whatever they are called: by device and inode, and by real path.

    Links, `..`, doubled slashes, roots that overlap and file systems that know no case make many
    names of one file. Of a hard link the other name would do; it counts as the same all the same.
    """

    def __init__(self) -> None:
        self._inodes: set[tuple[int, int]] = set()
        self._paths: set[str] = set()

    def add(self, uri: str) -> None:
        """Add the file at `uri`; one that is not on this machine, or not there, is none.

        Raises:
            OSError: it cannot be said whether it is there.
        """
        try:
            path = local_path(uri)
        except Unjudgeable:
            return
        try:
            found = os.stat(path)  # noqa: PTH116 - a Path would tidy the name up first
        except OSError as error:
            if error.errno in _NO_FILE:
                return
            raise
        self._inodes.add((found.st_dev, found.st_ino))
        self._paths.add(os.path.realpath(path))

    def holds(self, path: str, found: os.stat_result) -> bool:
        """Whether the file at a real path is one of them."""
        return (found.st_dev, found.st_ino) in self._inodes or path in self._paths


def spellings(uri: str) -> set[str]:
    """The usual ways to write the path that `uri` names, itself included."""
    try:
        path = local_path(uri)
    except Unjudgeable:
        return {uri}
    paths = {path, os.path.normpath(path), os.path.realpath(path)}
    # A POSIX path of two slashes is kept by normpath.
    paths |= {"/" + one.lstrip("/") for one in paths}
    written = {quote(os.fsencode(one)) for one in paths}
    return {uri, *paths, *(f"file://{one}" for one in paths | written)}


def remove_picture(
    uri: str, *, roots: Sequence[Path], before: datetime, kept: Files | None = None
) -> bool:
    """Delete the file at `uri` if it was last written before `before`; returns whether it was.

    Every folder on the way is opened by its own descriptor and no link is followed, so nobody can
    lead the deletion elsewhere by exchanging a folder. What is not a regular file, lies outside
    the roots, is gone already, was written again since, or is one of the `kept`, is left alone.

    Raises:
        OSError: the folder cannot be reached or written; try again later.
    """
    try:
        path = local_path(uri)
    except Unjudgeable:
        return False
    for root in roots:
        fence = os.path.realpath(root)
        for base in (fence, os.path.normpath(root.absolute())):
            relative = os.path.relpath(os.path.normpath(path), base)
            if not relative.startswith(os.pardir) and relative != os.curdir:
                return _remove_beneath(fence, relative, before.timestamp(), kept or Files())
    return False


def _remove_beneath(root: str, relative: str, before: float, kept: Files) -> bool:
    *folders, name = Path(relative).parts
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            parent = folder
            folder = os.open(part, _FOLDER, dir_fd=parent)
            os.close(parent)
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) or found.st_mtime >= before:
            return False
        if kept.holds(os.path.join(root, relative), found):  # noqa: PTH118 - no Path a file
            return False
        os.unlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno in _NOT_OURS:
            return False
        raise
    else:
        return True
    finally:
        os.close(folder)
