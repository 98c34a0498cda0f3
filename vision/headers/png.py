"""PNG: its chunks and their checksums (W3C PNG, third edition)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import crc32

from vision.headers.directory import check_exif
from vision.headers.header import Header, check_metadata, corrupt

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_NAMES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_PIXELS = (b"IDAT", b"fdAT")
_MOST_CHUNKS = 100_000


def read(data: bytes) -> Header:
    """What IHDR says.

    Raises:
        Unjudgeable: corrupt.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise corrupt("begins like a PNG, but its header is damaged")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if not width or not height or colour not in _SAMPLES or bits not in (1, 2, 4, 8, 16):
        raise corrupt("begins like a PNG, but its header is damaged")
    wide = colour in (2, 4, 6)
    # Pillow's one, two or four bytes a pixel, and RGB beside it.
    return Header(
        format="PNG",
        width=width,
        height=height,
        pixel_bytes=8 if wide else 6,
        kind=f"{bits}-bit {_NAMES[colour]} PNG",
        bits=bits,
        samples=_SAMPLES[colour],
    )


def check(data: bytes, header: Header) -> str | None:
    """Compare every checksum, and find the end. Pillow skips those of the pixels.

    Raises:
        Unjudgeable: corrupt; too_large, for what lies beside the pixels.
    """
    parts, size, pixels = 0, 0, 0
    for kind, start, end in _chunks(data):
        if kind in _PIXELS:
            pixels += 1
            if pixels > _MOST_CHUNKS:
                check_metadata("chunks", pixels, 0)
            continue
        parts, size = parts + 1, size + end - start
        check_metadata("chunks", parts, size)
        if kind == b"eXIf":
            check_exif(data[start:end])
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind and place of each chunk up to IEND; what lies behind that is nobody's business."""
    view = memoryview(data)
    at = 8
    while True:
        if at + 12 > len(data):
            raise corrupt("the PNG ends before its last chunk")
        size = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + size
        if end + 4 > len(data):
            raise corrupt(f"the PNG ends within its {kind!a} chunk")
        if crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise corrupt(f"the checksum of a {kind!a} chunk is wrong: the PNG is damaged")
        yield kind, at + 8, end
        if kind == b"IEND":
            return
        at = end + 4
