"""Formats that mark their end, or the length of each piece: JPEG, PNG, WebP."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from producer.folder.wholeness.extent import Extent, UnfinishedError

_EOI = b"\xff\xd9"
_SOS = 0xDA
_STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and the restart markers have no length
# Within compressed data 0xFF is followed by 0 (a stuffed byte), a restart marker or a fill byte.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_JPEG_SEGMENT = struct.Struct(">BBH")
_PNG_CHUNK = struct.Struct(">I4s")
_RIFF_CHUNK = struct.Struct("<4sI")
_WEBP_PIXELS = {b"VP8 ", b"VP8L", b"ANMF"}


def jpeg(reader: BinaryIO, size: int) -> Extent:
    """To the end-of-image marker (ITU-T T.81, B.1.1.3).

    The marker counts only behind compressed data: a thumbnail in the header has one too.
    """
    at = 2
    while at + 4 <= size:
        reader.seek(at)
        mark, marker, length = _JPEG_SEGMENT.unpack(reader.read(_JPEG_SEGMENT.size))
        if mark != 0xFF:
            break
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker != _SOS:
            at += 2 + length
        else:
            return _jpeg_scans(reader, at + 2 + length, size)
    raise UnfinishedError("the JPEG's header is not complete")


def _jpeg_scans(reader: BinaryIO, at: int, size: int) -> Extent:
    """From the first compressed byte on; a progressive picture has several scans."""
    reader.seek(max(at, size - len(_EOI)))
    if reader.read(len(_EOI)) == _EOI:
        return Extent(size)  # the usual file, told without reading it
    reader.seek(0)
    data = reader.read(size)
    while found := _NEXT_MARKER.search(data, at):
        at = found.start()
        if data[at + 1] == _EOI[1]:
            return Extent(at + 2)
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise UnfinishedError("the JPEG has no end marker")


def png(reader: BinaryIO, size: int) -> Extent:
    """To the chunk IEND (ISO/IEC 15948, 5.3)."""
    at = 8
    while at + 12 <= size:
        reader.seek(at)
        length, kind = _PNG_CHUNK.unpack(reader.read(_PNG_CHUNK.size))
        if not kind.isalpha():
            break
        at += 12 + length
        if kind == b"IEND" and at <= size:
            return Extent(at)
    raise UnfinishedError("the PNG has no IEND chunk")


def webp(reader: BinaryIO, size: int) -> Extent:
    """The size in the RIFF header, and the last chunk with pixels."""
    reader.seek(4)
    end = 8 + int.from_bytes(reader.read(4), "little")
    if end > size:
        raise UnfinishedError(f"the WebP says that it has {end} bytes and has {size}")
    at, pixels_end = 12, None
    while at + 8 <= end:
        reader.seek(at)
        kind, length = _RIFF_CHUNK.unpack(reader.read(_RIFF_CHUNK.size))
        if not kind.strip(b"\0"):
            raise UnfinishedError(f"the WebP holds zeros from byte {at} on")
        at += 8 + length
        if kind in _WEBP_PIXELS:
            pixels_end = min(at, end)
        at += length % 2  # chunks begin at even bytes
    return Extent(end, pixels_end)
