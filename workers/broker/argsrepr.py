"""What Flower and the logs show as a task's arguments: made here, of what the body holds. Pure.

The sender's own words would be shown to operators as they come, in whatever type they have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 200  # characters
_CAMERAS = 4  # that are named
_WORD = 64
_HARMLESS = str.maketrans("<>&\"'", "‹›+””")  # a page that forgets to escape them shows text


def argsrepr(body: Sequence[Any]) -> str:
    """`line-1 · cam-2 · 16 × cable` for a message of pictures; other arguments as they are.

    Args:
        body: a list of arguments, and an object of keyword arguments; of any JSON.
    """
    arguments, keywords = body[0], body[1]
    message = arguments[0] if len(arguments) == 1 else None
    if isinstance(message, Mapping) and isinstance(message.get("images"), list):
        images = message["images"]
        cameras = {_word(image.get("camera")): 0 for image in images[:64] if type(image) is dict}
        named = ", ".join(list(cameras)[:_CAMERAS]) + (", …" if len(cameras) > _CAMERAS else "")
        line, product = _word(message.get("line")), _word(message.get("product"))
        text = f"{line} · {named or '?'} · {len(images)} × {product}"
    else:
        words = [_word(value) for value in arguments[:8]]
        words += [f"{_word(name)}={_word(value)}" for name, value in list(keywords.items())[:8]]
        text = ", ".join(words)
    text = text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)
    text = text.translate(_HARMLESS)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _word(value: object) -> str:
    if type(value) is str:
        return value if len(value) <= _WORD else f"{value[:_WORD]}…"
    return str(value) if value is None or type(value) in (int, float, bool) else "?"
