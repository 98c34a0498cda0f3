"""Passwords, as Argon2 hashes (pwdlib's recommended parameters)."""

from __future__ import annotations

from functools import lru_cache

from pwdlib import PasswordHash

from linewatch.errors import UserError

SHORTEST, LONGEST = 10, 1000  # characters
_hasher = PasswordHash.recommended()


def accepted(password: str) -> str:
    """The hash of a new password.

    Raises:
        UserError: it is too short or too long. Nothing else is asked of it, as NIST SP 800-63B
            advises: rules of composition make worse passwords.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(f"a password has {SHORTEST} to {LONGEST} characters; use a long sentence")
    return hashed(password)


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
