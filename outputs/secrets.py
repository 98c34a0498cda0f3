"""Secrets of receivers: each is a file of its own."""

from __future__ import annotations

from pathlib import Path

from linewatch.errors import ConfigurationError


def secret(path: Path, receiver: str = "") -> bytes:
    """What a secret's file holds, without white space around it.

    Args:
        receiver: whose it is, for the error; '' where the caller says so.

    Raises:
        ConfigurationError: it cannot be read, or is empty.
    """
    try:
        found = path.read_bytes().strip()
    except OSError as error:
        raise _error(receiver, f"{path} cannot be read: {error.strerror}") from None
    if not found:
        raise _error(receiver, f"{path} is empty")
    return found


def secret_text(path: Path, receiver: str = "") -> str:
    """The same as text, such as a password.

    Raises:
        ConfigurationError: it cannot be read, is empty, or is not UTF-8.
    """
    try:
        return secret(path, receiver).decode()
    except UnicodeDecodeError:
        raise _error(receiver, f"{path} is not UTF-8 text") from None


def _error(receiver: str, problem: str) -> ConfigurationError:
    whose = f"receiver {receiver!r}: " if receiver else ""
    return ConfigurationError(f"{whose}the secret {problem}")
