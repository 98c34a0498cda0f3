"""Formats without an end marker, whose header says how many bytes there are: BMP, PGM, PPM."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from producer.folder.wholeness.extent import Extent, UnfinishedError

_BMP_RAW = {0, 3, 6}  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS
_BMP_CORE_HEADER = 12
_SMALLEST_BMP_BYTES = 30  # a core header and one pixel
_BMP_CORE = struct.Struct("<HHHH")
_BMP_INFO = struct.Struct("<iiHHII")
_HEAD_BYTES = 1024
_PNM = re.compile(rb"P([56])" + rb"(?:\s|#[^\n]*\n)+(\d+)" * 3 + rb"\s", re.DOTALL)


def bmp(reader: BinaryIO, size: int) -> Extent:
    """Rows of 4-byte multiples from the offset in the header; run lengths as the header says."""
    if size < _SMALLEST_BMP_BYTES:
        raise UnfinishedError(f"{size} bytes are less than a header")
    reader.seek(0)
    head = reader.read(_HEAD_BYTES)
    file_size, _, start, header = struct.unpack_from("<IIII", head, 2)
    if header == _BMP_CORE_HEADER:
        width, height, _, bits = _BMP_CORE.unpack_from(head, 18)
        compression = image_bytes = 0
    else:
        width, height, _, bits, compression, image_bytes = _BMP_INFO.unpack_from(head, 18)
    if compression in _BMP_RAW:
        image_bytes = (abs(width) * bits + 31) // 32 * 4 * abs(height)
    end = start + image_bytes if image_bytes else max(file_size, start)
    return _checked("BMP", Extent(end, end, packed=compression not in _BMP_RAW), size)


def pnm(reader: BinaryIO, size: int) -> Extent | None:
    """Binary PGM and PPM: width x height x channels samples behind the header."""
    reader.seek(0)
    found = _PNM.match(reader.read(_HEAD_BYTES))
    if found is None:
        return None
    kind, width, height, highest = map(int, found.groups())
    samples = width * height * (3 if kind == 6 else 1)
    end = found.end() + samples * (2 if highest > 255 else 1)
    return _checked("PNM", Extent(end, end, packed=False), size)


def _checked(what: str, extent: Extent, size: int) -> Extent:
    if extent.end > size:
        raise UnfinishedError(f"the {what} takes {extent.end} bytes and has {size}")
    return extent
