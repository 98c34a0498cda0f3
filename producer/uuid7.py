"""Ids in order of time, so that a database's newest rows lie together (RFC 9562, version 7)."""

from __future__ import annotations

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """A new id, as the standard library's type."""
    return UUID(int=uuid_utils.uuid7().int)
