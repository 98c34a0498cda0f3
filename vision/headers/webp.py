"""WebP: its RIFF chunks (RFC 9649)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vision.headers.directory import check_exif
from vision.headers.header import Header, check_metadata, corrupt, long_zeros

_CODED = (b"VP8 ", b"VP8L", b"ALPH")
# A flat area becomes zeros as well, a byte for about 10,000 pixels, but never so many.
_ZEROS, _PIXELS_A_ZERO = 64, 4096
_HELD = (*_CODED, b"ANMF")
_FRAME_HEADER, _ALPHA_CODING = 16, 0x03  # bytes; the bits that say how alpha is coded


def read(data: bytes) -> Header:
    """What the first chunk says.

    Raises:
        Unjudgeable: corrupt.
    """
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        raise corrupt("the WebP ends within its header")
    if kind == b"VP8X":
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
    elif kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", body, 6))
    elif kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        raise corrupt("begins like a WebP, but its header is damaged")
    if not width or not height:
        raise corrupt("begins like a WebP, but its header is damaged")
    # Two canvases, the frame, the decoder's own, Pillow's copy, and RGB.
    return Header(format="WEBP", width=width, height=height, pixel_bytes=18, kind="WebP")


def check(data: bytes, header: Header) -> str | None:
    """See whether all chunks are there. WebP has no checksums.

    Returns:
        what is odd about the pixels, or None.

    Raises:
        Unjudgeable: corrupt; too_large, for what lies beside the pixels.
    """
    size = inner = 0
    flaw = None
    for parts, (kind, start, end) in enumerate(_chunks(data), 1):
        if kind not in _HELD:
            size += end - start
        check_metadata("chunks", parts, size)
        if kind == b"EXIF":
            check_exif(data[start:end].removeprefix(b"Exif\0\0"))
        elif kind == b"ANMF":
            for place in _within(data, start + _FRAME_HEADER, end):
                inner += 1
                check_metadata("chunks of its frames", inner, 0)
                flaw = flaw or _lost(data, *place, header.pixels)
        else:
            flaw = flaw or _lost(data, kind, start, end, header.pixels)
    return flaw


def _lost(data: bytes, kind: bytes, start: int, end: int, pixels: int) -> str | None:
    """What is odd about the pixels in a chunk, or None."""
    coded = data[start:end] if kind in _CODED else b""
    if kind == b"ALPH" and coded and not coded[0] & _ALPHA_CODING:
        return None
    return long_zeros(coded, _ZEROS + pixels // _PIXELS_A_ZERO)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    end_of_all = 8 + int.from_bytes(data[4:8], "little")
    if end_of_all > len(data):
        raise corrupt(f"the WebP ends {end_of_all - len(data)} bytes too early")
    yield from _within(data, 12, end_of_all)


def _within(data: bytes, at: int, end_of_all: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind and place of each chunk up to a byte.

    Raises:
        Unjudgeable: corrupt.
    """
    while at + 8 <= end_of_all:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        kind, end = data[at : at + 4], at + 8 + size
        if end > end_of_all or kind == bytes(4):
            raise corrupt(f"the WebP is damaged: no chunk begins at byte {at}")
        yield kind, at + 8, end
        at = end + (size & 1)
