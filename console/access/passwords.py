"""Passwords, as Argon2 hashes (pwdlib's recommended parameters)."""

from __future__ import annotations

from functools import lru_cache

from pwdlib import PasswordHash

_hasher = PasswordHash.recommended()


def hashed(password: str) -> str:
    """What the database keeps."""
    return _hasher.hash(password)


def verify(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; takes as long where there is no hash, so time tells nothing."""
    if password_hash is None:
        _hasher.verify(password, _of_nobody())
        return False
    return _hasher.verify(password, password_hash)


@lru_cache(maxsize=1)
def _of_nobody() -> str:
    return _hasher.hash("nobody's")
