"""Text that every database takes.

A message's text comes from outside. PostgreSQL refuses NUL and lone surrogates, and an index
refuses long keys; one such field would stop its whole batch, for ever. So it is mended, visibly.
"""

from __future__ import annotations

from typing import overload


@overload
def storable(text: str, limit: int | None = None) -> str: ...
@overload
def storable(text: str | None, limit: int | None = None) -> str | None: ...
def storable(text: str | None, limit: int | None = None) -> str | None:
    """`text` with NUL and lone surrogates replaced, cut to `limit` characters."""
    if text is None:
        return None
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\0", "\ufffd")[:limit]
