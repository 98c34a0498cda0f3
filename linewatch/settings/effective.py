"""Each setting's value, and where it comes from; secrets are not shown."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr

from linewatch.settings import Settings
from linewatch.settings.places import PREFIX, origin, places

HIDDEN = "(hidden)"
_HOST = re.compile(r"[\w.-]*(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
_PATH = re.compile(r"[\w./-]*")


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting as it is now; `origin` is "environment", a file, a folder or "default"."""

    name: str
    value: str
    origin: str


def effective_settings(settings: Settings) -> list[Effective]:
    """Every setting, in the order in which they are defined.

    Raises:
        ConfigurationError: a place of settings cannot be read.
    """
    found = places()
    return [
        Effective(f"{PREFIX}{name.upper()}", _shown(settings, name), origin(name, found))
        for name in Settings.model_fields
    ]


def holds_secret(file: Path) -> bool:
    """Whether one of these settings is secret, or has a password in its URL."""
    said = dotenv_values(file, encoding="utf-8", interpolate=False) if file.is_file() else {}
    for name, value in said.items():
        setting = name.casefold().removeprefix(PREFIX.casefold())
        field = Settings.model_fields.get(setting)
        if value and field is not None:
            if field.annotation is SecretStr:
                return True
            if setting.endswith("_url") and without_secrets(value) != value:
                return True
    return False


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if value in ("", None) and name in _FOLLOWING:
        value = getattr(settings, _FOLLOWING[name])
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = os.pathsep.join(map(str, value))
    text = "–" if value in ("", None) else str(value)
    return without_secrets(text) if name.endswith("_url") else text


# Left empty, these are what another property says.
_FOLLOWING = {
    "database_url": "sql_url",
    "redis_url": "redis_client_url",
    "model_store_url": "models_url",
    "spool_dir": "spool_folder",
    "weights_dir": "local_weights_dir",
}


def without_secrets(url: str) -> str:
    """A URL's scheme, host and path; where it cannot be taken apart for certain, its scheme.

    >>> without_secrets("postgresql://worker:word@db:5432/linewatch?password=word")
    'postgresql://db:5432/linewatch'
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "sqlite":
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{scheme}://{HIDDEN}"
    host = parts.netloc.rpartition("@")[2]
    certain = rest.count("@") <= 1 and _HOST.fullmatch(host) and _PATH.fullmatch(parts.path)
    return f"{scheme}://{host}{parts.path}" if certain else f"{scheme}://{HIDDEN}"
