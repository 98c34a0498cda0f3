"""Text from outside, as logs and terminals get it: nothing in it acts, all of it is seen.

A newline forges a line of a log, an escape sequence rewrites a terminal, and a mark that turns the
direction of writing shows a name as another. Here, once for logs and once for terminals, each such
character is written as its escape. Databases and JSON keep it as it came.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from typing import Any

_LONG_WORD = re.compile(r"(\S{300})\S{100,}")


def visible(text: str, keep: str = "") -> str:
    r"""`text` with escapes such as `\n`, `\x1b` and `\u202e` for what cannot be seen as itself.

    Control and format characters, separators of lines, surrogates, and what Unicode has not
    assigned; spaces of any width are left, and so are the characters in `keep`.
    """
    if text.isprintable():  # nearly all of it
        return text
    return "".join(c if c in keep or _is_seen(c) else _escaped(c) for c in text)


def visible_lines(text: str) -> str:
    """`text` of several lines, of which none but the first looks like a line of its own."""
    return "\n  ".join(visible(line, keep="\t") for line in text.split("\n"))


def readable(text: str) -> str:
    """`text` with words of many hundred characters cut: a name that long tells nobody more."""
    return _LONG_WORD.sub(r"\1…", text)


def visible_json(value: Any) -> str:
    """`value` as JSON for people: indented, in its own letters, but with escapes where needed."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    # JSON has no \x: its escapes are UTF-16, which is what it makes of a character by itself.
    return "".join(c if c == "\n" or _is_seen(c) else json.dumps(c)[1:-1] for c in text)


def _is_seen(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


class PlainLogRecord(logging.LogRecord):
    """A line of the log that is one line: whatever it tells of cannot begin another.

    Of a traceback, which has several, each is indented: none looks like an entry of the log.
    """

    _traceback: str | None = None

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        """The message, in one line."""
        return visible(super().getMessage())

    @property
    def exc_text(self) -> str | None:
        """The traceback, once a formatter has written it."""
        return self._traceback

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._traceback = f"  {visible_lines(text)}" if text else text


def keep_logs_plain() -> None:
    """Let every logger of this process, whoever's it is, write such lines."""
    logging.setLogRecordFactory(PlainLogRecord)
