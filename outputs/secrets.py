"""Secrets of receivers: each is a file of its own."""

from __future__ import annotations

from pathlib import Path

from linewatch.errors import ConfigurationError


def secret(path: Path, receiver: str) -> bytes:
    """What a secret's file holds, without white space around it.

    Raises:
        ConfigurationError: it cannot be read, or is empty.
    """
    try:
        found = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(
            f"receiver {receiver!r}: the secret {path} cannot be read: {error.strerror}"
        ) from None
    if not found:
        raise ConfigurationError(f"receiver {receiver!r}: the secret {path} is empty")
    return found
