"""Each setting's value, and where it comes from; secrets are not shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from linewatch.settings import Settings
from linewatch.settings.places import PREFIX, origin, places
from linewatch.settings.shown_url import HIDDEN, without_secrets


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
