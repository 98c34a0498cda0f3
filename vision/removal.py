"""Deletes a picture's file beneath the image roots, and nowhere else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from vision.errors import Unjudgeable
from vision.source import local_path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
_NOT_OURS = (*_NOT_THERE, errno.ELOOP)


def remove_picture(uri: str, *, roots: Sequence[Path], before: datetime) -> bool:
    """Delete the file at `uri` if it was last written before `before`; returns whether it was.

    Every folder on the way is opened by its own descriptor and no link is followed, so nobody can
    lead the deletion elsewhere by exchanging a folder. What is not a regular file, lies outside
    the roots, is gone already, or was written again since, is left alone.

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
                return _remove_beneath(fence, relative, before.timestamp())
    return False


def _remove_beneath(root: str, relative: str, before: float) -> bool:
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
        os.unlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno in _NOT_OURS:
            return False
        raise
    else:
        return True
    finally:
        os.close(folder)
