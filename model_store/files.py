"""A version's two files on any fsspec file system, visible whole or not at all."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from linewatch.errors import ModelError
from linewatch.settings.shown_url import without_secrets

log = logging.getLogger(__name__)

T = TypeVar("T")
_MARK = "manifest.json"  # written last: a folder without it is no version
_DRAFT = ".draft-"


class ModelFiles:
    """Folders of files beneath a URL: a local path, file://, memory://, s3:// and so on.

    Args:
        url: where product folders lie.

    Raises:
        ModelError: there is no such kind of URL, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self.shown = without_secrets(url).rstrip("/")
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ModelError(f"the model store {self.shown} cannot be used: {error}") from None
        self._root = str(root).rstrip("/")
        self._local = "file" in _protocols(self._fs)

    def write(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write a new folder; its files appear together.

        Raises:
            ModelError: the folder exists, or the store is full, read-only or away.
        """
        if self.exists(folder):
            raise ModelError(f"{self._where(folder)} exists already; versions are never replaced")
        write = self._write_local if self._local else self._write_objects
        self._try(f"{self._where(folder)} cannot be written", lambda: write(folder, files))

    def read(self, path: str, limit: int) -> bytes:
        """A file of at most `limit` bytes.

        Raises:
            ModelError: it is missing, larger, or cannot be read.
        """
        data: bytes = self._try(
            f"{self._where(path)} cannot be read",
            lambda: self._fs.cat_file(self._path(path), start=0, end=limit + 1),
        )
        if len(data) > limit:
            raise ModelError(f"{self._where(path)} has more than {limit} bytes; it is not ours")
        return data

    def exists(self, folder: str) -> bool:
        """Whether `folder` was written to its end."""
        mark = self._path(f"{folder}/{_MARK}")
        return self._try(f"{self._where(folder)} cannot be looked at", lambda: self._has(mark))

    def folders(self, folder: str) -> list[str]:
        """Names of the complete folders in `folder`, sorted."""
        names = self._try(
            f"{self._where(folder)} cannot be listed", lambda: self._names(self._path(folder))
        )
        return sorted(n for n in names if not n.startswith(".") and self.exists(f"{folder}/{n}"))

    def subfolders(self) -> list[str]:
        """Names of the folders at the top, sorted."""
        problem = f"{self.shown} cannot be listed"
        return sorted(self._try(problem, lambda: self._names(self._root, files=False)))

    def _names(self, path: str, *, files: bool = True) -> list[str]:
        self._fs.invalidate_cache()
        try:
            found = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return []
        names = [str(entry["name"]) for entry in found if files or entry["type"] != "file"]
        return [name.rstrip("/").rsplit("/", 1)[-1] for name in names]

    def _has(self, path: str) -> bool:
        self._fs.invalidate_cache()
        try:  # isfile() would take any trouble for a "no"
            return bool(self._fs.info(path)["type"] == "file")
        except FileNotFoundError:
            return False

    def _write_objects(self, folder: str, files: Mapping[str, bytes]) -> None:
        done = []
        try:
            for name in sorted(files, key=lambda name: name == _MARK):
                path = self._path(f"{folder}/{name}")
                done.append(path)
                self._fs.pipe_file(path, files[name])
        except BaseException:
            for path in done:
                _quietly(partial(self._fs.rm_file, path))
            raise

    def _write_local(self, folder: str, files: Mapping[str, bytes]) -> None:
        target = Path(self._path(folder))
        draft = target.parent / f"{_DRAFT}{target.name}-{secrets.token_hex(4)}"
        draft.mkdir(parents=True)
        try:
            for name, data in files.items():
                with (draft / name).open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            _sync(draft)
            draft.rename(target)
            _sync(target.parent)
        except BaseException:
            for name in files:
                _quietly((draft / name).unlink)
            _quietly(draft.rmdir)
            raise

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _where(self, path: str) -> str:
        return f"{self.shown}/{path}"

    def _try(self, problem: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except FileNotFoundError:
            raise ModelError(
                f"{problem}: it does not exist; check LINEWATCH_MODEL_STORE_URL, or restore it "
                "from a backup"
            ) from None
        except ImportError:  # s3:// without its driver
            raise
        except Exception as error:  # every driver raises its own kinds
            cause = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise ModelError(
                f"{problem}: {cause:.200}; check LINEWATCH_MODEL_STORE_URL, its rights and its room"
            ) from error


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _quietly(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:
        log.warning("a half-written model is left behind: %s", error)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
