"""The settings in a backup: each one's value here, and which secrets one has to bring oneself."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from linewatch.backup.manifest import NeededSecret
from linewatch.settings import Settings
from linewatch.settings.effective import effective_settings
from linewatch.settings.shown_url import without_secrets

FILE = "settings.json"
_FILES = ("redis_ca_cert", "redis_client_cert", "redis_client_key")  # named, not copied


def write_settings(settings: Settings, backup: Path) -> tuple[NeededSecret, ...]:
    """Write every effective setting, without secrets; returns those that hold or name one."""
    rows = effective_settings(settings)
    text = json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False)
    (backup / FILE).write_text(f"{text}\n", encoding="utf-8")
    named = zip(type(settings).model_fields, rows, strict=True)
    return tuple(
        NeededSecret(name=row.name, origin=row.origin)
        for name, row in named
        if _is_secret(name, getattr(settings, name))
    )


def _is_secret(name: str, value: Any) -> bool:
    if isinstance(value, SecretStr):
        return bool(value.get_secret_value().strip())
    if name.endswith("_url"):
        return bool(without_secrets(value) != value)
    return name in _FILES and value is not None
