"""The folder of a backup: there whole or not at all, its owner's alone, each file with a digest."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linewatch.backup.manifest import NAME, FileDigest, Manifest, parsed
from linewatch.errors import BackupError
from linewatch.private_files import FILE_MODE, FOLDER_MODE, make_folder, write_new

_CHUNK_BYTES = 1024 * 1024


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder under a name of its own beside `target`, which becomes `target` at the end.

    Whatever breaks off, `target` is not there and nothing of it is left; after a power cut or
    SIGKILL there may be a hidden `.NAME.….part`, which nobody takes for a backup.

    Raises:
        BackupError: `target` exists, or its disk is full or cannot be written.
    """
    if os.path.lexists(target):
        raise BackupError(f"{target} exists already; a backup goes into a new folder: name another")
    draft = target.parent / f".{target.name}.{secrets.token_hex(4)}.part"
    try:
        make_folder(target.parent)
        draft.mkdir(mode=FOLDER_MODE)
        yield draft
        draft.rename(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(draft, ignore_errors=True)
        cause = getattr(error, "strerror", None) or str(error)
        raise BackupError(
            f"the backup {target} cannot be made: {cause}; nothing of it is left there. See that "
            "its disk has room and may be written to"
        ) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def sealed(folder: Path) -> dict[str, FileDigest]:
    """Make everything in a folder private and durable; returns each file's digest by its path."""
    found = {}
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = digest(path)
        sync(path)
    return dict(sorted(found.items()))


def digest(path: Path) -> FileDigest:
    """A file's digest."""
    sha256, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha256.update(chunk)
            size += len(chunk)
    return FileDigest(sha256=sha256.hexdigest(), bytes=size)


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write the manifest, the last file of a backup; returns its SHA-256 (hex)."""
    path = folder / NAME
    write_new(path, manifest.model_dump_json(indent=1) + "\n")
    sync(path)
    sync(folder)
    return digest(path).sha256


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: there is none, or it cannot be used.
    """
    path = folder / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        words = f"{folder} is no backup, or only a part of one: it has no {NAME}"
        raise BackupError(words) from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None
    return parsed(data, str(path))


def faults(folder: Path, manifest: Manifest) -> list[str]:
    """What is wrong with the files of a backup, in words; empty: each is as it was written.

    Raises:
        BackupError: a file cannot be read.
    """
    try:
        paths = [path for path in sorted(folder.rglob("*")) if not path.is_dir()]
        there = {path.relative_to(folder).as_posix(): path for path in paths}
        return [
            *(f"{name} is missing" for name in manifest.files if name not in there),
            *(
                f"{name} is not the file that was written"
                for name, written in manifest.files.items()
                if name in there and digest(there[name]) != written
            ),
            *(
                f"{name} is not of this backup"
                for name in there
                if name not in manifest.files and name != NAME
            ),
        ]
    except OSError as error:
        raise BackupError(f"{error.filename} cannot be read: {error.strerror}") from None


def whole(folder: Path) -> Manifest:
    """The manifest of a backup whose files are all as they were written.

    Raises:
        BackupError: they are not; says the first thing wrong.
    """
    manifest = read_manifest(folder)
    if wrong := faults(folder, manifest):
        more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
        raise BackupError(f"{folder} does not hold, and nothing was restored: {wrong[0]}{more}")
    return manifest


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
