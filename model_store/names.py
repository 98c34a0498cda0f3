"""Names of products and versions: what may stand in a path, and how a new version is called."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from linewatch.errors import ModelError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def new_version_name(product: str, now: datetime, suffix: str | None = None) -> str:
    """A name such as `cable-20261123T231500Z-3f9a`: by name is by time, to the second.

    Args:
        product: the product's code.
        now: with a time zone.
        suffix: tells versions of one second apart; random where None.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return checked_name(f"{product}-{stamp}-{suffix or secrets.token_hex(2)}")


def checked_name(name: str) -> str:
    """`name`, if it can be one part of a path and nothing else.

    Raises:
        ModelError: it holds a slash, begins with a dot, or the like.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"{name!a:.150} names no model or product; letters, digits, '_', '.' and '-' do"
        )
    return name
