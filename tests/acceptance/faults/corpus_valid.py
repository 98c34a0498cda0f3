"""Pictures that are odd and must be judged all the same."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from producer.contract import Reason
from tests.acceptance.faults.corpus import JUDGED
from tests.support.pictures import encoded, texture

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
PICTURE = Image.fromarray(texture(64, 48))
Picture = tuple[str, bytes, frozenset[Reason]]


def plain(format_: str) -> bytes:
    """An ordinary picture."""
    return encoded(PICTURE, format_)


def pictures() -> Iterator[Picture]:
    """Name, file, and how it ends."""
    for make in (_modes, _codings, _frames, _exif, _polyglots, _shapes):
        for name, data in make():
            yield name, data, JUDGED


def _modes() -> Iterator[tuple[str, bytes]]:
    for mode in ("L", "1", "P", "CMYK", "RGBA", "LA"):
        yield f"tiff {mode}", encoded(PICTURE.convert("RGBA" if mode == "LA" else mode), "TIFF")
    for mode in ("L", "1", "P", "RGBA", "LA"):
        yield f"png {mode}", encoded(PICTURE.convert(mode), "PNG")
    for mode in ("L", "CMYK", "YCbCr"):
        yield f"jpeg {mode}", encoded(PICTURE.convert(mode), "JPEG")
    for mode in ("L", "1", "P", "RGBA"):
        yield f"bmp {mode}", encoded(PICTURE.convert(mode), "BMP")
    grey16 = Image.fromarray(np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 21)
    for format_ in ("PNG", "TIFF"):
        yield f"{format_} 16-bit grey", encoded(grey16, format_)
    palette = PICTURE.convert("P")
    yield "png palette, one colour clear", encoded(palette, "PNG", transparency=3)
    yield "png palette, alpha a colour", encoded(palette, "PNG", transparency=bytes(range(256)))
    yield "png grey with a clear value", encoded(PICTURE.convert("L"), "PNG", transparency=7)
    wide = np.random.default_rng(1).integers(0, 256, (8, 8 * 6), dtype=np.uint8)
    yield "png 16-bit colour", png(8, 8, b"".join(b"\0" + row.tobytes() for row in wide), depth=16)
    yield "webp with alpha", encoded(PICTURE.convert("RGBA"), "WEBP", lossless=True)


def _codings() -> Iterator[tuple[str, bytes]]:
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "raw"):
        yield f"tiff {name}", encoded(PICTURE, "TIFF", compression=name)
    yield "tiff group 4 fax", encoded(PICTURE.convert("1"), "TIFF", compression="group4")
    yield "tiff tiny strips", encoded(PICTURE, "TIFF", strip_size=192)
    yield "big tiff", encoded(PICTURE, "TIFF", big_tiff=True)
    yield "jpeg progressive", encoded(PICTURE, "JPEG", progressive=True)
    yield "jpeg quality 1", encoded(PICTURE, "JPEG", quality=1)
    yield "jpeg with restarts", encoded(PICTURE, "JPEG", restart_marker_blocks=1)
    yield "png interlaced", adam7(np.asarray(PICTURE))
    yield "png stored, not deflated", encoded(PICTURE, "PNG", compress_level=0)
    yield "webp lossless", encoded(PICTURE, "WEBP", lossless=True)


def _frames() -> Iterator[tuple[str, bytes]]:
    more = {"save_all": True, "append_images": [PICTURE.rotate(90, expand=False)] * 3}
    for format_ in ("PNG", "WEBP", "TIFF", "MPO"):
        yield f"{format_} with four frames", encoded(PICTURE, format_, **more)


def _exif() -> Iterator[tuple[str, bytes]]:
    for turn in (0, 1, 5, 6, 8, 9, 255, 65535):
        exif = Image.Exif()
        exif[0x0112] = turn
        yield f"orientation {turn}", encoded(PICTURE, "JPEG", exif=exif.tobytes())
        yield f"tiff orientation {turn}", encoded(PICTURE, "TIFF", exif=exif)
    head = b"Exif\0\0II*\0"
    tag = struct.pack("<HHI", 0x0112, 2, 4)
    broken = {
        "orientation is text": head + struct.pack("<IH", 8, 1) + tag + b"six\0" + bytes(4),
        "directory beyond the end": head + struct.pack("<I", 0xFFFFFFF0),
        "directory that is itself next": head + struct.pack("<IHI", 8, 0, 8),
        "65,535 entries of nothing": head + struct.pack("<IH", 8, 65535) + b"\xff" * 99,
        "value of four gigabytes": head + struct.pack("<IHHHII", 8, 1, 0x0112, 3, 0x7FFFFFFF, 8),
        "60 kB of thumbnail": head + struct.pack("<IHI", 8, 0, 0) + b"\xff\xd8" + bytes(60_000),
        "no byte order": b"Exif\0\0XX*\0" + bytes(20),
        "nothing": b"Exif\0\0",
    }
    for name, exif_bytes in broken.items():
        yield f"exif: {name}", encoded(PICTURE, "JPEG", exif=exif_bytes)


def _polyglots() -> Iterator[tuple[str, bytes]]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("run.sh", "rm -rf /")
    html = b"<html><script>alert(1)</script></html>"
    yield "jpeg, then zip", plain("JPEG") + archive.getvalue()
    yield "png, then html", plain("PNG") + html
    yield "png with html inside", png(2, 2, bytes(14), extra=[(b"tEXt", b"Comment\0" + html)])
    yield "jpeg with php in a comment", encoded(PICTURE, "JPEG", comment=b"<?php system($_GET[0]);")
    yield "jpeg, then jpeg", plain("JPEG") * 2
    yield "png, then four kB of NUL", plain("PNG") + bytes(4096)
    yield "bmp, then html", plain("BMP") + html


def _shapes() -> Iterator[tuple[str, bytes]]:
    for width, height in ((1, 1), (1, 5000), (5000, 1), (3, 2), (2000, 2)):
        yield f"{width} by {height}", encoded(Image.new("RGB", (width, height)), "PNG")
    yield "all black", encoded(Image.new("L", (64, 64)), "PNG")
    yield "all clear", encoded(Image.new("RGBA", (64, 64)), "PNG")


def png(
    width: int,
    height: int,
    rows: bytes,
    *,
    depth: int = 8,
    interlaced: bool = False,
    extra: list[tuple[bytes, bytes]] | None = None,
) -> bytes:
    """An RGB PNG of `rows`, each after its filter byte, written chunk by chunk."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header), *(extra or []), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def adam7(pixels: np.ndarray) -> bytes:
    """An interlaced PNG, which Pillow reads and does not write."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    rows = b""
    for top, left, down, across in (*passes, (1, 0, 2, 1)):
        for row in pixels[top::down, left::across]:
            rows += b"\0" + row.tobytes()
    return png(pixels.shape[1], pixels.shape[0], rows, interlaced=True)
