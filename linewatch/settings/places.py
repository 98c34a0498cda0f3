"""Where settings may be set, nearest first, and which names each place holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from linewatch.errors import ConfigurationError

PREFIX = "LINEWATCH_"
ENVIRONMENT = "environment"
DEFAULT = "default"
# Say where settings are, and so must be known before any place is looked at.
ENVIRONMENT_ONLY = ("LINEWATCH_ENV_FILE", "LINEWATCH_SECRETS_DIR")


@dataclass(frozen=True, slots=True)
class Place:
    """A place and the names in it, as they are written; capitals do not matter."""

    label: str
    names: tuple[str, ...]

    def sets(self, name: str) -> bool:
        """Whether a setting is set here, if only to nothing."""
        return name.casefold() in map(str.casefold, self.names)


def places() -> list[Place]:
    """Environment, environment file and secrets folder: of a name in two, the first one counts.

    Raises:
        ConfigurationError: a place that is named is not there or cannot be read.
    """
    found = [Place(ENVIRONMENT, tuple(os.environ))]
    file = environment_file()
    if file.is_file():
        try:
            names = tuple(dotenv_values(file, encoding="utf-8", interpolate=False))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the settings in {file} cannot be read: {error}") from None
        found.append(Place(str(file), names))
    folder = secrets_folder()
    if folder is not None:
        found.append(Place(str(folder), tuple(path.name for path in _entries(folder))))
    return found


def origin(name: str, found: list[Place]) -> str:
    """Where a setting's value comes from: a place's label, or "default"."""
    return next((place.label for place in found if place.sets(f"{PREFIX}{name}")), DEFAULT)


def environment_file() -> Path:
    """The file whose lines are settings, which need not exist unless it was named.

    Raises:
        ConfigurationError: LINEWATCH_ENV_FILE names a file that is not there.
    """
    named = os.environ.get("LINEWATCH_ENV_FILE")
    if not named:
        return Path(os.environ.get("LINEWATCH_DATA_DIR") or "var").expanduser() / ".env"
    if not _is_file(Path(named).expanduser()):
        raise ConfigurationError(f"LINEWATCH_ENV_FILE: {named} is not a file")
    return Path(named).expanduser()


def secrets_folder() -> Path | None:
    """The folder whose files are settings; None where none is named.

    Raises:
        ConfigurationError: it is not there, may not be listed, or holds no setting at all, as
            where nothing is mounted. Without its `LINEWATCH_DATABASE_URL` verdicts would go
            into a new SQLite file.
    """
    named = os.environ.get("LINEWATCH_SECRETS_DIR")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not any(path.name.upper().startswith(PREFIX) for path in _entries(folder)):
        raise ConfigurationError(
            f"LINEWATCH_SECRETS_DIR: {folder} holds no file that is called as a setting, such as "
            "LINEWATCH_DATABASE_URL; is it mounted?"
        )
    return folder


def require_readable(folder: Path, settings: frozenset[str]) -> None:
    """Refuse a secrets folder with a setting that would be passed over in silence.

    Raises:
        ConfigurationError: names the first one, and why it cannot be read.
    """
    for path in _entries(folder):
        if path.name.upper() in settings and (why := _unreadable(path, folder)):
            raise ConfigurationError(f"the secret {path} {why}")


def _unreadable(path: Path, folder: Path) -> str | None:
    try:
        place = path.resolve(strict=True)
        if path.is_dir():
            return "is a folder and not a file; was there a file to mount?"
        if not path.is_file():
            return "is not a file"
        if folder.resolve() not in place.parents:
            return f"is a link to {place}, outside of the folder: put the file itself there"
        path.read_text(encoding="utf-8")
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        return f"cannot be read: {getattr(error, 'strerror', None) or 'it links to itself'}"
    except UnicodeDecodeError:
        return "cannot be read: it is not UTF-8 text"
    return None


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except NotADirectoryError:
        raise ConfigurationError(f"LINEWATCH_SECRETS_DIR: {folder} is not a folder") from None
    except OSError as error:
        raise ConfigurationError(
            f"LINEWATCH_SECRETS_DIR: {folder} cannot be read: {error.strerror}"
        ) from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be entered
        return False
