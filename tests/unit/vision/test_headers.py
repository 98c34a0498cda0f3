"""Hostile pictures: small files that ask for much. Each is refused by its header, at once."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from linewatch.products import ImageSize
from producer.contract import Reason
from tests.acceptance.faults.corpus_valid import chunk
from tests.support.pictures import encoded, texture
from tests.support.tiff import tiff
from vision import decode as module
from vision.decode import decode, read_header
from vision.errors import Unjudgeable

PICTURE = Image.fromarray(texture(64, 48))
MAX_PIXELS = 50_000_000


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan of coefficients is there over and over."""
    data = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True, quality=50)
    starts = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    end = data.rindex(b"\xff\xd9")
    scan = data[starts[-1] : end]
    return data[:end] + scan * scans + b"\xff\xd9"


def with_chunks(*chunks: bytes) -> bytes:
    data = encoded(PICTURE, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def with_segments(*segments: bytes) -> bytes:
    data = encoded(PICTURE, "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def greedy_exif(tags: int, size: int) -> bytes:
    """A directory whose every tag names the same bytes, which are all of it."""
    entries = b"".join(struct.pack("<HHII", 1000 + n, 7, size, 8) for n in range(tags))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", tags) + entries + bytes(4)
    return head.ljust(size + 8, b"\0")


def bmp_runs(size: int) -> bytes:
    head = bytearray(encoded(Image.new("L", (4000, 4000)), "BMP")[: 54 + 1024])
    head[30:38] = struct.pack("<II", 1, size)
    return bytes(head) + b"\1\7" * (size // 2)


def deflated_tile(width: int, height: int, side: int, pixels: bytes) -> bytes:
    """A grey TIFF in one square tile, whose side its picture need not fill."""
    tile = zlib.compress(pixels, 1)

    def at(place: int) -> bytes:
        tags = [(322, 4, [side]), (323, 4, [side]), (324, 4, [place]), (325, 4, [len(tile)])]
        return tiff(b"", width=width, height=height, bits=8, compression=8, more=tags)

    return at(len(at(0))) + tile


def with_riff(more: bytes) -> bytes:
    data = encoded(PICTURE, "WEBP")
    return b"RIFF" + struct.pack("<I", len(data) - 8 + len(more)) + data[8:] + more


HOSTILE = {
    "a JPEG of 1,000 scans": lambda: many_scans(2000, 1000),
    "a JPEG of 20,000 scans": lambda: many_scans(2000, 20_000),
    "a large JPEG of 60 scans": lambda: many_scans(5000, 60),
    "a JPEG of 100,000 segments": lambda: with_segments(segment(0xEF, b"") * 100_000),
    "a JPEG of 12 MB of comments": lambda: with_segments(segment(0xFE, bytes(60_000)) * 200),
    "a JPEG of a million markers": lambda: with_segments(b"\xff\x01" * 1_000_000),
    "a JPEG with greedy EXIF": lambda: with_segments(
        segment(0xE1, b"Exif\0\0" + greedy_exif(5000, 65_000)[:65_000])
    ),
    "a PNG of 100,000 chunks": lambda: with_chunks(chunk(b"teXt", b"") * 100_000),
    "a PNG of 12 MB of text": lambda: with_chunks(chunk(b"teXt", bytes(12_000_000))),
    "a PNG with greedy EXIF": lambda: with_chunks(chunk(b"eXIf", greedy_exif(60_000, 1_000_000))),
    "a TIFF of greedy tags": lambda: tiff(
        bytes(3072), width=64, height=48, bits=8,
        more=[(40_000 + n, 3, [0] * 30_000) for n in range(200)],
    ),
    "a TIFF of 60,000 tags": lambda: tiff(
        bytes(3072), width=64, height=48, bits=8, more=[(1000 + n, 3, [0]) for n in range(60_000)]
    ),
    "a TIFF of a million strips": lambda: tiff(
        bytes(64), width=64, height=1_000_000, bits=1, more=[], offsets=[8] * 250_000,
        counts=[1] * 250_000,
    ),
    "a PNG of one endless row": lambda: encoded(Image.new("L", (300_000, 1)), "PNG"),
    "a packed TIFF of one endless row": lambda: tiff(
        bytes(36_000_000), width=24_000_000, height=1, bits=12
    ),
    "a BMP of millions of runs": lambda: bmp_runs(4_000_000),
    "a deflate bomb in a TIFF": lambda: tiff(
        zlib.compress(bytes(50_000_000), 1), width=64, height=48, bits=8, compression=8
    ),
    "a TIFF of one endless tile": lambda: deflated_tile(64, 48, 1 << 17, bytes(50_000_000)),
    "a WebP of 100,000 chunks": lambda: with_riff(b"XTRA\0\0\0\0" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_at_once(name: str) -> None:
    data = HOSTILE[name]()
    began = time.thread_time()
    with pytest.raises(Unjudgeable) as caught:
        decode(data, max_pixels=MAX_PIXELS)
    assert caught.value.reason is Reason.TOO_LARGE, caught.value.detail
    assert time.thread_time() - began < 0.5


def test_a_tile_may_be_larger_than_its_picture_and_is_counted() -> None:
    side, grey = 1024, texture(64, 48)[:, :, 0]
    tile = np.zeros((side, side), np.uint8)
    tile[:48, :64] = grey
    data = deflated_tile(64, 48, side, tile.tobytes())
    header = read_header(data, max_pixels=MAX_PIXELS)
    assert header.memory(len(data)) >= len(data) + side**2
    assert np.array_equal(decode(data, max_pixels=MAX_PIXELS).pixels[:, :, 0], grey)


def test_a_tiff_of_more_channels_than_anybody_opens_is_named() -> None:
    data = tiff(bytes(60_000), width=1, height=1, bits=8, samples=60_000, photometric=2)
    with pytest.raises(Unjudgeable, match="TIFF of 60000 channels") as caught:
        read_header(data, max_pixels=MAX_PIXELS)
    assert caught.value.reason is Reason.NOT_AN_IMAGE


def test_an_ordinary_progressive_jpeg_has_scans_to_spare() -> None:
    picture = Image.fromarray(np.tile(texture(300, 200), (5, 5, 1)))
    data = encoded(picture, "JPEG", progressive=True, quality=90)
    assert decode(data, max_pixels=MAX_PIXELS).flaw is None


def _claiming(width: int, height: int) -> list[bytes]:
    """Files of each format that claim a size and hold next to nothing."""
    png = with_chunks()
    head = struct.pack(">II", width, height) + png[24:29]
    png = png[:8] + chunk(b"IHDR", head) + png[33:]
    jpeg = bytearray(encoded(PICTURE, "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    bmp = bytearray(encoded(PICTURE, "BMP"))
    bmp[18:26] = struct.pack("<ii", width, height)
    webp = bytearray(encoded(PICTURE, "WEBP", lossless=True))
    webp[21:25] = ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return [png, bytes(jpeg), bytes(bmp), tiff(bytes(9), width=width, height=height, bits=8),
            bytes(webp)]  # fmt: skip


def test_the_size_is_checked_before_any_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(module.Image, "open", never)
    monkeypatch.setattr(module.simplejpeg, "decode_jpeg", never)
    for data in _claiming(9_000, 9_000):
        with pytest.raises(Unjudgeable) as caught:
            decode(data, max_pixels=MAX_PIXELS)
        assert caught.value.reason is Reason.TOO_LARGE
    for data in _claiming(3_000, 2_000):
        with pytest.raises(Unjudgeable) as caught:
            decode(data, max_pixels=MAX_PIXELS, expected=ImageSize(width=64, height=48))
        assert caught.value.reason is Reason.WRONG_SIZE


PEAKS = {
    "png, RGB": lambda image: encoded(image, "PNG", compress_level=1),
    "png, RGBA": lambda image: encoded(image.convert("RGBA"), "PNG", compress_level=1),
    "png, LA": lambda image: encoded(image.convert("RGBA").convert("LA"), "PNG", compress_level=1),
    "png, palette": lambda image: encoded(image.convert("P"), "PNG", transparency=1),
    "jpeg": lambda image: encoded(image, "JPEG"),
    "jpeg, progressive": lambda image: encoded(image, "JPEG", progressive=True, subsampling=0),
    "jpeg, CMYK": lambda image: encoded(image.convert("CMYK"), "JPEG"),
    "jpeg, flawed": lambda image: encoded(image, "JPEG")[:-2] + b"padding\xff\xd9",
    "webp": lambda image: encoded(image, "WEBP", quality=50, method=0),
    "webp, lossless": lambda image: encoded(image, "WEBP", lossless=True, quality=0, method=0),
    "tiff": lambda image: encoded(image, "TIFF"),
    "tiff, LZW": lambda image: encoded(image, "TIFF", compression="tiff_lzw"),
    "tiff, deflated": lambda image: encoded(image, "TIFF", compression="tiff_adobe_deflate"),
    "bmp": lambda image: encoded(image, "BMP"),
}
_CHILD = """
import io, resource, sys
from vision.decode import decode_pixels, read_header
import numpy as np
small = open(sys.argv[1], "rb").read()
decode_pixels(small, read_header(small, max_pixels=10**8))  # libraries are loaded now
data = open(sys.argv[2], "rb").read()
header = read_header(data, max_pixels=10**8)
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
decode_pixels(data, header)
print(peak() - before, header.memory(len(data)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PEAKS)
def test_no_picture_takes_more_memory_than_its_header_says(name: str, tmp_path: Path) -> None:
    pixels = np.tile(texture(256, 256), (16, 16, 1))
    paths = [tmp_path / "small", tmp_path / "large"]
    for path, image in zip(paths, (PICTURE, Image.fromarray(pixels)), strict=True):
        path.write_bytes(PEAKS[name](image))
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, *map(str, paths)], capture_output=True, text=True, check=True
    )
    held, promised = map(int, ran.stdout.split())
    assert held <= promised * 1.05 + 2_000_000, (held / 4096**2, promised / 4096**2)
