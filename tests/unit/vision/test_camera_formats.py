"""One picture in the forms in which cameras and frame grabbers write it."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from producer.contract import Reason
from tests.support.pictures import encoded, texture
from tests.support.tiff import packed, tiff
from vision.decode import Decoded, decode
from vision.errors import Unjudgeable

RGB = texture(101, 64)  # an odd width: rows of packed samples end within a byte
GREY = np.asarray(Image.fromarray(RGB).convert("L"))
SIZE = {"width": 101, "height": 64}
DEEP = {bits: (GREY.astype(np.uint32) * ((1 << bits) - 1) // 255) for bits in (9, 10, 12, 14, 16)}


def little(values: np.ndarray) -> bytes:
    return values.astype("<u2").tobytes()


def form(pixels: bytes, bits: int, **more: object) -> bytes:
    return tiff(pixels, **SIZE, bits=bits, **more)  # type: ignore[arg-type]


def read(data: bytes, bits: int | None = None) -> Decoded:
    return decode(data, max_pixels=1_000_000, bits=bits)


def refused(data: bytes, bits: int | None = None) -> str:
    with pytest.raises(Unjudgeable) as caught:
        read(data, bits)
    assert caught.value.reason is Reason.NOT_AN_IMAGE
    return caught.value.detail


def assert_grey(found: Decoded) -> None:
    assert found.pixels.shape == (64, 101, 3)
    assert found.flaw is None
    assert np.abs(found.pixels.astype(int) - GREY[:, :, None]).max() <= 1


GREYS = {
    "8 bits": form(GREY.tobytes(), 8),
    "8 bits, white is zero": form((255 - GREY).tobytes(), 8, photometric=0),
    "16 bits": form(little(DEEP[16]), 16),
    "16 bits, big-endian": form(DEEP[16].astype(">u2").tobytes(), 16, order=">"),
    "16 bits, white is zero": form(little(65535 - DEEP[16]), 16, photometric=0),
    "16 bits, white is zero, LZW": encoded(
        Image.fromarray((65535 - DEEP[16]).astype(np.uint16)), "TIFF",
        compression="tiff_lzw", tiffinfo={262: 0},
    ),
    "10 bits packed": form(packed(DEEP[10], 10), 10),
    "12 bits packed": form(packed(DEEP[12], 12), 12),
    "14 bits packed": form(packed(DEEP[14], 14), 14),
    "12 bits packed, big-endian": form(packed(DEEP[12], 12), 12, order=">"),
    "12 bits packed, white is zero": form(packed(4095 - DEEP[12], 12), 12, photometric=0),
    "12 bits packed, deflated": form(zlib.compress(packed(DEEP[12], 12)), 12, compression=8),
    "12 of 16 bits by MaxSampleValue": form(little(DEEP[12]), 16, more=[(281, 3, [4095])]),
    "10 of 16 bits by MaxSampleValue": form(little(DEEP[10]), 16, more=[(281, 3, [1023])]),
    "12 of 16 bits, white is zero": form(
        little(4095 - DEEP[12]), 16, photometric=0, more=[(281, 3, [4095])]
    ),
    "12 of 16 bits, deflated": form(
        zlib.compress(little(DEEP[12])), 16, compression=8, more=[(281, 3, [4095])]
    ),
    "16 bits, deflated differences": encoded(
        Image.fromarray(DEEP[16].astype(np.uint16)), "TIFF",
        compression="tiff_adobe_deflate", tiffinfo={317: 2},
    ),
    "two samples": form(
        np.stack([GREY, np.zeros_like(GREY)], 2).tobytes(), 8, samples=2, more=[(338, 3, [0])]
    ),
    "grey PNG, alpha 0": encoded(
        Image.fromarray(np.dstack([GREY, np.zeros_like(GREY)])), "PNG"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GREYS)
def test_a_grey_picture_is_the_same_in_every_form(name: str) -> None:
    found = read(GREYS[name])
    assert_grey(found)
    assert found.advice is None


def test_mono12_is_as_bright_as_8_bits_where_the_bits_are_said() -> None:
    for data in (
        form(little(DEEP[12]), 16),
        encoded(Image.fromarray(DEEP[12].astype("u2")), "PNG"),
    ):
        dark = read(data)
        assert dark.pixels.max() < 16
        assert dark.advice is not None
        assert "bits:" in dark.advice
        told = read(data, bits=12)
        assert_grey(told)
        assert told.advice is None
    assert_grey(read(form(little(DEEP[10]), 16), bits=10))
    assert_grey(read(form(GREY.tobytes(), 8), bits=12))  # its 8-bit pictures stay as they are


def test_a_value_beyond_the_bits_that_are_said_goes_to_a_person() -> None:
    found = read(form(little(DEEP[16]), 16), bits=12)
    assert found.flaw is not None
    assert "12 bits" in found.flaw


def test_a_maximum_that_is_only_the_pictures_own_is_not_believed() -> None:
    """TIFF means MaxSampleValue for statistics; pictures would differ in brightness."""
    own = form(little(DEEP[16] // 2), 16, more=[(281, 3, [int(DEEP[16].max()) // 2])])
    np.testing.assert_array_equal(read(own).pixels, read(form(little(DEEP[16] // 2), 16)).pixels)


def test_deep_colour_is_scaled_or_refused_by_name() -> None:
    deep = (RGB.astype(np.uint32) * 4095 // 255).astype("<u2").tobytes()
    colour = {"photometric": 2, "samples": 3}
    told = form(deep, 16, **colour, more=[(281, 3, [4095] * 3)])
    for found in (read(told), read(form(deep, 16, **colour), bits=12)):
        assert np.abs(found.pixels.astype(int) - RGB).max() <= 1
    dark = read(form(deep, 16, **colour))
    assert dark.advice is not None
    rows = b"".join(b"\0" + row.tobytes() for row in np.frombuffer(deep, "<u2").reshape(64, -1))
    assert "16-bit RGB PNG" in refused(_png16(rows), bits=12)


def _png16(rows: bytes) -> bytes:
    out = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", 101, 64, 16, 2, 0, 0, 0)
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        out += struct.pack(">I", len(body)) + kind + body + crc
    return out


def test_an_alpha_of_0_everywhere_is_ignored() -> None:
    clear = np.dstack([RGB, np.zeros_like(GREY)])
    bgr = np.dstack([RGB[:, :, ::-1], np.zeros_like(GREY)])[::-1]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<IiiHHIIiiII", 108, 101, 64, 1, 32, 3, bgr.size, 0, 0, 0, 0) + masks
    head += b"BGRs" + bytes(48)
    bmp = b"BM" + struct.pack("<IHHI", 14 + len(head) + bgr.size, 0, 0, 14 + len(head))
    for data in (
        encoded(Image.fromarray(clear), "PNG"),
        form(clear.tobytes(), 8, photometric=2, samples=4, more=[(338, 3, [2])]),
        bmp + head + bgr.tobytes(),
    ):
        np.testing.assert_array_equal(read(data).pixels, RGB)
    palette = Image.fromarray(RGB).quantize(16)
    hidden = encoded(palette, "PNG", transparency=bytes(16))
    np.testing.assert_array_equal(read(hidden).pixels, np.asarray(palette.convert("RGB")))
    gone = form(bytes(clear.size), 8, photometric=2, samples=4, more=[(338, 3, [1])])
    assert "transparent" in refused(gone)  # multiplied by 0, nothing is left


NOT_READ = {
    "16-bit float grey": form((GREY / 255).astype("<f2").tobytes(), 16, more=[(339, 3, [3])]),
    "32-bit float grey": form((GREY / 255).astype("<f4").tobytes(), 32, more=[(339, 3, [3])]),
    "64-bit float grey": form((GREY / 255).astype("<f8").tobytes(), 64, more=[(339, 3, [3])]),
    "16-bit signed integer grey": form(little(DEEP[16] // 2), 16, more=[(339, 3, [2])]),
    "8-bit signed integer grey": form((GREY // 2).tobytes(), 8, more=[(339, 3, [2])]),
    "32-bit grey": form(GREY.astype("<u4").tobytes(), 32),
    "8-bit Bayer mosaic": form(GREY.tobytes(), 8, photometric=32803),
    "12-bit Bayer mosaic": form(packed(DEEP[12], 12), 12, photometric=32803),
    "12-bit grey TIFF, LZW": form(b"\x80" + bytes(50), 12, compression=5),
    "12-bit grey TIFF, JPEG": form(bytes(50), 12, compression=7),
    "9-bit grey": form(packed(DEEP[9], 9), 9),
    "12-bit RGB": form(bytes(101 * 64 * 5), 12, photometric=2, samples=3),
    "8-bit grey TIFF, JPEG 2000": form(bytes(50), 8, compression=34712),
    "8-bit grey TIFF, compression 999": form(bytes(50), 8, compression=999),
    "8-bit photometric 9": form(GREY.tobytes(), 8, photometric=9),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_what_is_not_read_is_named(name: str) -> None:
    detail = refused(NOT_READ[name])
    assert detail.startswith(name), detail
    assert "is not read" in detail
    assert any(word in detail for word in ("save", "export", "let the camera")), detail


def test_jpegs_of_other_processes_are_named() -> None:
    data = encoded(Image.fromarray(RGB), "JPEG")
    frame = data.index(b"\xff\xc0")
    deep = data[: frame + 4] + b"\x0c" + data[frame + 5 :]
    assert "12-bit JPEG" in refused(deep)
    lossless = data[: frame + 1] + b"\xc3" + data[frame + 2 :]
    assert "lossless" in refused(lossless)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("kind", ["grey", "deep grey", "RGB", "deep RGB"])
def test_a_bigtiff_is_read_in_both_byte_orders(order: str, deflated: bool, kind: str) -> None:
    pixels = RGB if "RGB" in kind else GREY
    form = {"bits": 8, "photometric": 2, "samples": 3} if "RGB" in kind else {"bits": 8}
    values = pixels.tobytes()
    if "deep" in kind:
        form["bits"] = 16
        values = (pixels.astype(f"{order}u2") * 257).astype(f"{order}u2").tobytes()
    if deflated:
        form["compression"] = 8
        values = zlib.compress(values)
    found = decode(tiff(values, **SIZE, **form, order=order, big=True), max_pixels=10**6)
    assert found.flaw is None
    expected = RGB if "RGB" in kind else np.repeat(GREY[:, :, None], 3, axis=2)
    assert np.abs(found.pixels.astype(int) - expected).max() <= 1


def test_a_big_endian_bigtiff_that_is_coded_is_named() -> None:
    data = tiff(GREY.tobytes(), **SIZE, bits=8, compression=32773, order=">", big=True)
    with pytest.raises(Unjudgeable) as caught:
        decode(data, max_pixels=10**6)
    assert caught.value.reason is Reason.NOT_AN_IMAGE
    assert "big-endian BigTIFF" in caught.value.detail
