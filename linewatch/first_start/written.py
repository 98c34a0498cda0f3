"""A folder of made files: none that a person changed is ever written again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from linewatch.errors import ConfigurationError
from linewatch.private_files import FILE_MODE, FOLDER_MODE, make_folder, write_new

_RECORD = ".made-by-linewatch.json"


# As 0.1.0 had them, whose plants were made by hand: files that nobody edited.
SHIPPED = {"docker-compose.yml": "88399d77d1d210995e7b500bdccd0cd17caca9e14fc2d36dd9483bc4e5901f59"}


class MadeFiles:
    """Writes files beneath a folder and remembers their digests.

    What it wrote and nobody has changed may be brought up to date; everything else stays.

    Args:
        folder: made if it is missing, for its owner alone.
        owner: uid that the files shall belong to; None: whoever runs this.
        mode: of the folder, if it is made.

    Raises:
        ConfigurationError: the folder, or a file in it, cannot be written.
    """

    def __init__(self, folder: Path, owner: int | None = None, mode: int = FOLDER_MODE) -> None:
        self.folder = folder.absolute()
        self.made: list[str] = []
        self.changed_by_hand: list[str] = []
        self._owner = owner
        self._record = self.folder / _RECORD
        try:
            if not self.folder.is_dir():
                make_folder(self.folder)
                self.folder.chmod(mode)
                self._own(self.folder)
            self._digests: dict[str, str] = (
                json.loads(self._record.read_text()) if self._record.exists() else {}
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{self.folder}: {error}") from None

    def once(self, name: str, text: str, mode: int = FILE_MODE) -> Path:
        """Write a file if it is missing: a secret, or what a person shall edit."""
        path = self.folder / name
        if not path.exists():
            self._write(path, text, mode)
        return path

    def generated(self, name: str, text: str, mode: int = FILE_MODE) -> Path:
        """Write a file, or bring it up to date unless somebody has changed it."""
        path = self.folder / name
        if not path.exists():
            self._write(path, text, mode)
            self._remember(name, text)
        elif (found := path.read_text(encoding="utf-8")) != text:
            if _digest(found) in (self._digests.get(name), SHIPPED.get(name)):
                path.unlink()
                self._write(path, text, mode)
                self._remember(name, text)
            else:
                self.changed_by_hand.append(name)
        return path

    def subfolder(self, name: str, mode: int = FOLDER_MODE) -> Path:
        """Make a folder, for its owner alone unless `mode` says otherwise."""
        path = self.folder / name
        if not path.is_dir():
            make_folder(path)
            path.chmod(mode)
            self._own(path)
            self.made.append(f"{name}/")
        return path

    def adopt(self, path: Path) -> None:
        """Count a file that something else has just made."""
        self._own(path)
        self.made.append(str(path.relative_to(self.folder)))

    def _write(self, path: Path, text: str, mode: int) -> None:
        try:
            new = [p for p in path.parents if not p.exists()]
            write_new(path, text, mode)
            for made in (*new, path):
                self._own(made)
        except OSError as error:
            raise ConfigurationError(f"{path}: {error}") from None
        self.made.append(str(path.relative_to(self.folder)))

    def _own(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner, self._owner)

    def _remember(self, name: str, text: str) -> None:
        self._digests[name] = _digest(text)
        self._record.unlink(missing_ok=True)
        write_new(self._record, json.dumps(self._digests, indent=1, sort_keys=True) + "\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
