"""Files and folders that are their owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone.

    One that exists keeps its mode: somebody may share it on purpose.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def write_new(path: Path, text: str, mode: int = FILE_MODE) -> None:
    """Write a file that must not exist yet, private from its first moment.

    Raises:
        OSError: it exists, or cannot be written.
    """
    make_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - private from birth
        file.write(text)


def writable_by_others(path: Path) -> bool:
    """Whether others than its owner may change what is there."""
    try:
        return bool(path.stat().st_mode & 0o022)
    except OSError:
        return False


def too_open(path: Path) -> bool:
    """Whether others than its owner may do anything with what is there."""
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
