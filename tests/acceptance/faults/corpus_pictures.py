"""Files that are damaged, hostile, or no pictures that are read."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from producer.contract import Reason
from tests.acceptance.faults.corpus import DAMAGED, JUDGED, one
from tests.acceptance.faults.corpus_valid import FORMATS, PICTURE, Picture, chunk, plain, png
from tests.support.pictures import encoded

_CORRUPT, _TOO_LARGE = one(Reason.CORRUPT), one(Reason.TOO_LARGE)
_FOREIGN = one(Reason.NOT_AN_IMAGE)
_BARE = {"PNG": 8, "JPEG": 3, "BMP": 2, "TIFF": 4, "WEBP": 12}  # bytes of signature


def pictures(seed: int) -> Iterator[Picture]:
    """Name, file, and how it may end."""
    yield from _truncated()
    yield from _flipped(random.Random(seed))
    yield from _bombs()
    yield from _foreign()
    yield from _unclear()


def _truncated() -> Iterator[Picture]:
    for format_ in FORMATS:
        data = plain(format_)
        yield f"{format_} of no bytes", b"", one(Reason.EMPTY)
        yield f"{format_} that ends after its signature", data[: _BARE[format_]], _CORRUPT
        for tenth in range(1, 10):
            yield f"{format_} cut at {tenth}/10", data[: len(data) * tenth // 10], _CORRUPT


def _flipped(dice: random.Random) -> Iterator[Picture]:
    for format_ in FORMATS:
        data = plain(format_)
        yield f"{format_} without signature", bytes([data[0] ^ 1]) + data[1:], _FOREIGN
        for _ in range(9):
            bit = dice.randrange(8 * _BARE[format_], 8 * 64)
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            yield f"{format_} with bit {bit} flipped", bytes(flipped), DAMAGED
    width = bytearray(plain("PNG"))
    width[19] ^= 1  # the checksum of the header no longer fits
    yield "png of another width", bytes(width), _CORRUPT


def _bombs() -> Iterator[Picture]:
    flat = Image.new("1", (11_000, 9_500))
    yield "a true png beyond the limit", encoded(flat, "PNG"), _TOO_LARGE
    yield "a true tiff beyond the limit", encoded(flat, "TIFF", compression="group4"), _TOO_LARGE
    for side in (60_000, 2**31 - 1):
        yield f"png of side {side}", png(side, side, b"\0"), _CORRUPT | _TOO_LARGE
        yield f"tiff of side {side}", tiff(side, side), _CORRUPT | _TOO_LARGE
    jpeg = bytearray(plain("JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    yield "jpeg of side 65,535", bytes(jpeg), _TOO_LARGE
    bmp = bytearray(plain("BMP"))
    bmp[18:26] = struct.pack("<ii", 100_000, 100_000)
    yield "bmp of side 100,000", bytes(bmp), _TOO_LARGE
    vp8x = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + b"\xff\xff\xff" * 2
    webp = b"RIFF" + struct.pack("<I", len(vp8x) + 4) + b"WEBP" + vp8x
    yield "webp of side 16 million", webp, _CORRUPT | _TOO_LARGE
    # The decoder stops at the last row, whatever more there is.
    yield "png whose data go on for 20 MB", png(2, 2, bytes(20_000_000)), JUDGED | _CORRUPT
    for kind, head in ((b"zTXt", b"Comment\0\0"), (b"iCCP", b"profile\0\0")):
        inflated = head + zipped(bytes(20_000_000))
        yield f"png with 20 MB of {kind!r}", png(2, 2, bytes(14), extra=[(kind, inflated)]), DAMAGED
    for count in (2**16, 2**31, 2**32 - 1):
        yield f"tiff of {count} strips", tiff(64, 48, strips=count), _CORRUPT
    yield "tiff whose next page is itself", tiff(64, 48, following=8), DAMAGED
    yield "tiff whose directory is far away", b"II*\0" + struct.pack("<I", 2**32 - 9), _CORRUPT


def _foreign() -> Iterator[Picture]:
    for format_ in ("GIF", "PPM", "ICO", "PCX", "TGA", "JPEG2000", "PDF", "EPS", "DDS"):
        yield f"{format_}, which is not read", encoded(PICTURE, format_), _FOREIGN
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("picture.png", plain("PNG"))
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"
    heads = {
        "PSD": b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 48, 64, 8, 3) + bytes(999),
        "SVG": b"<?xml version='1.0'?>" + svg,
        "HEIC": b"\0\0\0\x18ftypheic" + bytes(999),
        "AVIF": b"\0\0\0\x18ftypavif" + bytes(999),
        "zip with a png": archive.getvalue(),
        "gif header, then jpeg": b"GIF89a" + plain("JPEG"),
        "pdf header, then jpeg": b"%PDF-1.7\n" + plain("JPEG"),
        "newline, then png": b"\n" + plain("PNG"),
        "byte order mark, then png": b"\xef\xbb\xbf" + plain("PNG"),
        "png in base64": b"iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAIAAAAuKetI",
        "sound": b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(40),
        "script": b"#!/bin/sh\nrm -rf /\n",
        "NUL": bytes(5000),
        "noise": np.random.default_rng(3).integers(0, 128, 5000, dtype=np.uint8).tobytes(),
    }
    for name, data in heads.items():
        yield name, data, _FOREIGN


def _unclear() -> Iterator[Picture]:
    """Pixels of which nothing says what is white."""
    for kind in (np.float32, np.int32):
        image = Image.fromarray(np.linspace(0, 9, 64 * 48).reshape(48, 64).astype(kind))
        yield f"tiff of {kind.__name__}", encoded(image, "TIFF"), _FOREIGN
    nan = Image.fromarray(np.full((48, 64), np.nan, dtype=np.float32))
    yield "tiff of not-a-number", encoded(nan, "TIFF"), _FOREIGN
    yield "png of no width", png(0, 5, bytes(5)), _CORRUPT
    yield "png without pixels", plain("PNG")[:33] + chunk(b"IEND", b""), _CORRUPT


def tiff(width: int, height: int, *, strips: int = 1, following: int = 0) -> bytes:
    """A TIFF that is all directory: `strips` strips that are not there."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 1), (273, 4, strips, 8), (277, 3, 1, 1), (278, 4, 1, 1)]
    entries += [(279, 4, strips, 2**31 - 1)]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", following)


def zipped(data: bytes) -> bytes:
    """Deflated, as PNG keeps text and profiles."""
    return zlib.compress(data, 9)
