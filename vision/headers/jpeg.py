"""JPEG: frame, scans and what lies beside them (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import simplejpeg

from vision.headers import jpeg_holes
from vision.headers.directory import check_exif
from vision.headers.header import Header, check_metadata, corrupt, not_read, too_large

# A scan touches every coefficient once. Encoders write about ten; a thousand keep a decoder busy
# for as long as a thousand pictures, in a file of 30 kB.
MAX_SCANS = 100
MAX_SCAN_PIXELS = 1_000_000_000
# Zeros: over a hundred coefficients of -1 in a row, to the standard's tables. An arithmetic coder
# writes some for what is certain, and fewer the larger the area is.
_ZEROS, _PIXELS_A_ZERO = 64, 4096

_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_READ_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # sequential and progressive; 9, A: arithmetic
_PROGRESSIVE = {0xC2, 0xCA}
_ARITHMETIC = {0xC9, 0xCA}
# In coded data 0xFF is followed by 0; restart markers stand between two pieces of the same scan.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_EXIF = b"Exif\0\0"


@dataclass(frozen=True, slots=True)
class _Frame:
    progressive: bool
    arithmetic: bool
    one_scan: bool  # at a second one libjpeg ends with an error
    may_be_turned: bool  # there is EXIF, or XMP
    components: tuple[int, ...]
    scans_at: int  # of the first scan's marker, whose header is there


def read(data: bytes) -> Header:
    """The header up to the first scan.

    Raises:
        Unjudgeable: corrupt; not_an_image, for a coding that is not read; too_large.
    """
    frame: tuple[int, bytes] | None = None
    exif: list[bytes] = []
    markers: set[int] = set()
    at, parts = 2, 0
    while True:
        at, marker = _next_marker(data, at)
        parts += 1
        check_metadata("segments", parts, at)
        if marker in _STANDALONE:
            continue
        markers.add(marker)
        size = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + size]
        if size < 2 or len(body) != size - 2:
            raise corrupt("the JPEG ends within its header")
        if marker == _SOS:
            if not body:
                raise corrupt("the JPEG's first scan has no header")
            break
        if marker in _FRAMES:
            frame = frame or (marker, body)
        elif marker == _APP1 and body.startswith(_EXIF):
            exif.append(body[len(_EXIF) :])
        at += size
    if exif:
        check_exif(b"".join(exif))  # Pillow joins them too
    if frame is None:
        raise corrupt("the JPEG has no frame header before its pixels")
    return _header(*frame, scans_at=at - 2, first_scan=body[0], may_be_turned=_APP1 in markers)


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """Where the segment behind the next marker begins, and the marker."""
    found = _MARKER.search(data, at)
    if found is None or found[0][1] == _EOI:
        raise corrupt("the JPEG ends before its pixels")
    return found.end(), found[0][1]


def _header(
    marker: int, body: bytes, *, scans_at: int, first_scan: int, may_be_turned: bool
) -> Header:
    if len(body) < 6:
        raise corrupt("the JPEG's frame header is damaged")
    precision, height, width, count = struct.unpack_from(">BHHB", body)
    if marker not in _READ_FRAMES:
        raise not_read(f"JPEG of process {marker - 0xC0} (lossless, hierarchical)")
    if precision != 8:
        raise not_read(f"{precision}-bit JPEG", advice="save as 8-bit JPEG or 16-bit PNG or TIFF")
    if not width or not height or len(body) < 6 + 3 * count or count not in (1, 3, 4):
        raise corrupt("the JPEG's frame header is damaged")
    progressive = marker in _PROGRESSIVE
    one_scan = not progressive and first_scan == count
    # RGB, and in the worst case Pillow's four bytes beside it; all coefficients, where several
    # scans add to them.
    pixel_bytes = 8 + (0 if one_scan else 2 * count)
    components = tuple(body[6 + 3 * n] for n in range(count))
    return Header(
        format="JPEG",
        width=width,
        height=height,
        pixel_bytes=pixel_bytes,
        kind=f"{'progressive ' * progressive}JPEG of {count} components",
        samples=count,
        parts=_Frame(
            progressive, marker in _ARITHMETIC, one_scan, may_be_turned, components, scans_at
        ),
    )


def is_upright(header: Header) -> bool:
    """Whether nothing in the file can ask for a turn, so that its pixels are as they lie."""
    return isinstance(header.parts, _Frame) and not header.parts.may_be_turned


def is_one_scan(header: Header) -> bool:
    """Whether all components come in one scan, and no other adds to them."""
    return isinstance(header.parts, _Frame) and header.parts.one_scan


def check(data: bytes, header: Header) -> str | None:
    """Count scans, and see whether a progressive picture has all of them.

    Returns:
        what is missing or was lost, or None. Other damage in a scan is for the decoder to find.

    Raises:
        Unjudgeable: too_large, for more scans than a decoder should go through; corrupt, for a
            progressive file without an end.
    """
    frame = header.parts
    assert isinstance(frame, _Frame)
    if not frame.one_scan:
        scans, ended = _scans(data, frame.scans_at, header.pixels)
        if not ended:
            raise corrupt("the JPEG ends before its last scan")
        if missing := _missing(frame, scans):
            return missing
    most = _ZEROS + (header.pixels // _PIXELS_A_ZERO if frame.arithmetic else 0)
    return jpeg_holes.hole(
        data, _MARKER, progressive=frame.progressive, one_scan=frame.one_scan, most=most
    )


def flaw(data: bytes, header: Header) -> str | None:
    """What libjpeg says against the file when it decodes all of it; None: nothing.

    Raises:
        Unjudgeable: corrupt, where the file ends too early.
    """
    colours = {1: "GRAY", 3: "GRAY", 4: "CMYK"}[header.samples]
    try:
        simplejpeg.decode_jpeg(data, colours, strict=True)
    except ValueError as error:
        return said_against(data, header, str(error))
    return None


def said_against(data: bytes, header: Header, warning: str) -> str:
    """A warning of libjpeg's, unless the file turns out to have no end.

    libjpeg's first warning may be of what lies within, though the tail is missing as well.

    Raises:
        Unjudgeable: corrupt.
    """
    frame = header.parts
    assert isinstance(frame, _Frame)
    if "premature end" in warning.lower() or not _scans(data, frame.scans_at, header.pixels)[1]:
        raise corrupt(f"the JPEG ends before its last pixel: {warning:.200}")
    return f"the JPEG's decoder says: {warning:.200}"


def _scans(data: bytes, at: int, pixels: int) -> tuple[list[bytes], bool]:
    """The scans' headers, and whether the end of the picture was found."""
    scans: list[bytes] = []
    parts = 0
    while found := _MARKER.search(data, at):
        marker, at = found[0][1], found.end()
        parts += 1
        check_metadata("segments between its scans", parts, 0)
        if marker == _EOI:
            return scans, True
        if marker in _STANDALONE:
            continue
        size = int.from_bytes(data[at : at + 2], "big")
        if marker == _SOS:
            scans.append(data[at + 2 : at + size])
            if len(scans) > MAX_SCANS or len(scans) * pixels > MAX_SCAN_PIXELS:
                raise too_large(
                    f"a JPEG of {len(scans)} scans and more; at most {MAX_SCANS}, and "
                    f"{MAX_SCAN_PIXELS} pixels in all of them, are decoded"
                )
        at += max(2, size)
    return scans, False


def _missing(frame: _Frame, scans: list[bytes]) -> str | None:
    """Whether some coefficient never came, or not down to its last bit (T.81, G.1.1.1)."""
    final: dict[int, list[int | None]] = {c: [None] * 64 for c in frame.components}
    for scan in scans:
        count = scan[0] if scan else 0
        if len(scan) < 4 + 2 * count:
            return "a scan's header is damaged"
        first, last, approximation = scan[1 + 2 * count : 4 + 2 * count]
        for component in scan[1 : 1 + 2 * count : 2]:
            bits = final.get(component)
            if bits is not None:
                for index in range(min(first, 63), min(last, 63) + 1):
                    bits[index] = approximation & 15
    if not frame.progressive:
        complete = all(bits[0] is not None for bits in final.values())
    else:
        complete = all(bit == 0 for bits in final.values() for bit in bits)
    return None if complete else "the JPEG lacks scans: it is coarser than it should be"
