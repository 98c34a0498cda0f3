"""What can be said of a file that rests, and how long to wait for it."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from producer.folder.wholeness import marked, sized
from producer.folder.wholeness.extent import Extent, UnfinishedError
from producer.folder.wholeness.tiff import tiff
from producer.folder.wholeness.writers import Writer, writer_of

_FORMATS: dict[bytes, Callable[[BinaryIO, int], Extent | None]] = {
    b"\xff\xd8": marked.jpeg,
    b"\x89PNG\r\n\x1a\n": marked.png,
    b"RIFF": marked.webp,
    b"BM": sized.bmp,
    b"P5": sized.pnm,
    b"P6": sized.pnm,
    b"II*\0": tiff,
    b"MM\0*": tiff,
    b"II+\0": tiff,
    b"MM\0+": tiff,
}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_HEAD_BYTES = 16
_PACKED_TAIL_BYTES = 64
_RAW_TAIL_BYTES = 512


class Content(Enum):
    """What a file's bytes say."""

    WHOLE = "whole"
    PARTIAL = "partial"
    UNSURE = "unsure"  # another format, or raw pixels that end in zeros


@dataclass(frozen=True, slots=True)
class Examination:
    """A file's content and writer, and the sentence that says why it does not look finished."""

    content: Content
    writer: Writer
    why: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether bytes are missing, or may still come."""
        return self.content is Content.PARTIAL or self.writer is Writer.SOME


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a file must rest before it is handed over, in seconds.

    Args:
        settle_s: where the file is seen to be whole, or closed by its writer.
        unsure_s: where nothing tells.
        unfinished_s: where bytes are missing or a writer has it open; then it is handed over all
            the same, since a damaged picture must be seen too.
    """

    settle_s: float = 0.5
    unsure_s: float = 5.0
    unfinished_s: float = 30.0

    def wait_s(self, examination: Examination, *, renamed: bool = False) -> float:
        """How long a file must have rested; `renamed` into place, it need not."""
        if examination.unfinished:
            return max(self.settle_s, self.unfinished_s)
        if renamed:
            return 0.0
        unsure = examination.content is Content.UNSURE and examination.writer is Writer.UNKNOWN
        return max(self.settle_s, self.unsure_s) if unsure else self.settle_s


def examine(path: Path) -> Examination:
    """Look at a file; one that cannot be read leaves everything open."""
    writer = writer_of(path)
    if writer is Writer.SOME:
        return Examination(Content.UNSURE, writer, "a program has it open for writing")
    try:
        with path.open("rb", buffering=0) as reader:
            return Examination(_content(reader, path.suffix.lower()), writer)
    except UnfinishedError as unfinished:
        return Examination(Content.PARTIAL, writer, str(unfinished))
    except struct.error:  # it became shorter meanwhile
        return Examination(Content.PARTIAL, writer, "its header is not complete")
    except OSError:
        return Examination(Content.UNSURE, Writer.UNKNOWN)


def _content(reader: BinaryIO, suffix: str) -> Content:
    size = os.fstat(reader.fileno()).st_size
    if not size:
        raise UnfinishedError("it is empty")
    head = reader.read(_HEAD_BYTES)
    extent = _extent(reader, head, size)
    if extent is None and not head.strip(b"\0") and suffix in _SUFFIXES:
        raise UnfinishedError("it begins with zeros")
    end = size if extent is None else min(extent.end, size)
    hole = _first_hole(reader, size)
    if hole < end:
        raise UnfinishedError(f"nothing was written at byte {hole}")
    if extent is None:
        return Content.UNSURE
    if extent.pixels_end and _ends_in_zeros(reader, extent.pixels_end, packed=extent.packed):
        if extent.packed:
            raise UnfinishedError(f"its pixels end in zeros at byte {extent.pixels_end}")
        return Content.UNSURE
    return Content.WHOLE


def _extent(reader: BinaryIO, head: bytes, size: int) -> Extent | None:
    for magic, extent_of in _FORMATS.items():
        if head.startswith(magic):
            return extent_of(reader, size)
        if magic.startswith(head):  # not even that is there yet
            raise UnfinishedError(f"{size} bytes are less than a header")
    return None


def _first_hole(reader: BinaryIO, size: int) -> int:
    """The first byte that was never written; the size where there is none or nothing tells."""
    if sys.platform == "win32":
        return size
    try:
        return os.lseek(reader.fileno(), 0, os.SEEK_HOLE)
    except (OSError, AttributeError):
        return size


def _ends_in_zeros(reader: BinaryIO, end: int, *, packed: bool) -> bool:
    length = min(end, _PACKED_TAIL_BYTES if packed else _RAW_TAIL_BYTES)
    reader.seek(end - length)
    return not reader.read(length).strip(b"\0")
