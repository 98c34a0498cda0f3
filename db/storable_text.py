"""Text that every database takes.

A message's text comes from outside. PostgreSQL refuses NUL and lone surrogates, and an index
refuses long keys; one such field would stop its whole batch, for ever. So it is mended, visibly.
"""

from __future__ import annotations

from typing import overload

SERIAL = 200  # characters of a part, lot or work order that are kept


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


def in_ascii(text: str) -> str:
    r"""`text` with JSON's escapes, such as `\u90e8`, for what is not ASCII.

    JSON stays the same JSON; other text is readable at least.
    """
    if text.isascii():
        return text
    units = text.encode("utf-16-be", "surrogatepass").hex("-", 2).split("-")
    codes = (int(unit, 16) for unit in units)
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
