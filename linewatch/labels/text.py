"""The text of a file whose encoding nobody wrote down."""

from __future__ import annotations

import codecs
import re

from linewatch.errors import LabelError

# Longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What other files begin with, and what they are.
_OTHERS = (
    (b"PK\x03\x04", "is an Excel workbook or another archive, not text"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook, not text"),
    (b"%PDF", "is a PDF, not a table"),
    (b"\x89PNG", "is a picture, not a table"),
    (b"\xff\xd8\xff", "is a picture, not a table"),
    (b"SQLite format 3", "is a database, not a table"),
    (b"{", "is JSON, not a table"),
    (b"[", "is JSON, not a table"),
    (b"<", "is HTML or XML, not a table"),
)
_SAVE_AS = 'in a spreadsheet, choose "Save as" and "CSV UTF-8"'
ANSI = "Windows-1252"
_LINE_END = re.compile(rb"\r\n|\r|\n")


def decoded(data: bytes, source: str) -> tuple[str, str]:
    """The text of `data`, and the encoding that it was read as.

    A byte order mark decides; without one UTF-16 shows by its zero bytes, and what is not UTF-8
    throughout is taken for Windows-1252, Excel's "ANSI" of Western Europe and America.

    Raises:
        LabelError: it is empty, no text, or of more than one encoding.
    """
    if not data.strip():
        raise LabelError(f"{source}: the file is empty; {_SAVE_AS}")
    bare = data.removeprefix(codecs.BOM_UTF8).lstrip()
    for start, what in _OTHERS:
        if bare.startswith(start):
            raise LabelError(f"{source} {what}; {_SAVE_AS}")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), _unmarked(data))
    try:
        text = data.decode("cp1252" if encoding == ANSI else encoding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.split(data[: error.start]))
        tried = f"neither UTF-8 nor {ANSI}" if encoding == ANSI else f"no {encoding.upper()}"
        raise LabelError(f"{source}, line {line}: is {tried}; {_SAVE_AS}") from None
    if encoding == ANSI:
        _refuse_mixture(data, source)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise LabelError(f"{source}, line {line}: holds a zero byte, so it is no text; {_SAVE_AS}")
    return text, encoding


def _unmarked(data: bytes) -> str:
    head = data[:400]
    for zeros, others, name in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        # Column names and separators are ASCII, whose every second byte is zero in UTF-16.
        if len(head) > 3 and head[zeros::2].count(0) > 0.7 * len(head[others::2]):
            return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return ANSI
    return "utf-8"


def _refuse_mixture(data: bytes, source: str) -> None:
    """Two files of two encodings were put together: either reading would spoil one of them."""
    for number, line in enumerate(_LINE_END.split(data), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        raise LabelError(
            f"{source}: line {number} is UTF-8 and others are not, so no reading fits all of it; "
            f"{_SAVE_AS}"
        )


def whole_number(cell: str, most: int) -> int | None:
    """The number from 1 to `most` that a cell says; None where it says none."""
    if not cell.isdecimal() or len(cell) > len(str(most)) or not 1 <= int(cell) <= most:
        return None
    return int(cell)
