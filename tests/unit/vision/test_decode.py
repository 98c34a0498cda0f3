from __future__ import annotations

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from linewatch.products import ImageSize
from producer.contract import Reason
from tests.support.pictures import encoded, texture
from vision.decode import Decoded, decode, digest
from vision.errors import Unjudgeable

MAX_PIXELS = 1_000_000
PICTURE = Image.fromarray(texture(64, 48))
LOSSLESS = [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]


def decoded(data: bytes) -> Decoded:
    return decode(data, max_pixels=MAX_PIXELS)


def reason(data: bytes, expected: ImageSize | None = None) -> Reason:
    with pytest.raises(Unjudgeable) as caught:
        decode(data, max_pixels=MAX_PIXELS, expected=expected)
    assert caught.value.detail
    return caught.value.reason


@pytest.mark.parametrize(("format_", "options"), LOSSLESS)
def test_lossless_formats_keep_every_pixel(format_: str, options: dict[str, object]) -> None:
    result = decoded(encoded(PICTURE, format_, **options))
    assert result.pixels.dtype == np.uint8
    assert result.pixels.flags.c_contiguous
    assert (result.width, result.height) == (64, 48)
    np.testing.assert_array_equal(result.pixels, np.asarray(PICTURE))


def test_jpeg_comes_close() -> None:
    result = decoded(encoded(PICTURE, "JPEG", quality=100, subsampling=0))
    assert np.abs(result.pixels.astype(int) - np.asarray(PICTURE)).mean() < 1


@pytest.mark.parametrize("format_", ["GIF", "PPM", "ICO", "PCX", "TGA", "JPEG2000", "PDF"])
def test_other_formats_are_not_even_tried(format_: str) -> None:
    assert reason(encoded(PICTURE, format_)) is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize("data", [b"x", b"hello, world" * 99, b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\0"])
def test_other_files_are_not_images(data: bytes) -> None:
    assert reason(data) is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_16_bit_grey_uses_the_full_range(format_: str) -> None:
    values = np.array([[0, 128, 257, 32768, 65407, 65535]], dtype=np.uint16)
    result = decoded(encoded(Image.fromarray(values), format_))
    assert result.pixels[0, :, 0].tolist() == [0, 0, 1, 128, 255, 255]
    assert result.pixels.shape == (1, 6, 3)


def test_16_bit_colour_keeps_its_upper_bytes() -> None:
    rows = b"\0" + struct.pack(">6H", 0xFFFF, 0x8012, 0, 0x1234, 0x00FF, 0xABCD)
    data = _png(2, 1, bit_depth=16, colour_type=2, rows=rows)
    assert decoded(data).pixels.tolist() == [[[0xFF, 0x80, 0], [0x12, 0x00, 0xAB]]]


def test_grey_one_bit_palette_and_cmyk_become_rgb() -> None:
    for mode in ("L", "1", "P", "CMYK"):
        image = PICTURE.convert(mode)
        result = decoded(encoded(image, "TIFF"))
        np.testing.assert_array_equal(result.pixels, np.asarray(image.convert("RGB")))
    assert set(np.unique(decoded(encoded(PICTURE.convert("1"), "PNG")).pixels)) == {0, 255}


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (2, 2), (200, 0, 0, 0))
    clear.putpixel((1, 1), (200, 0, 0, 255))  # alone, an alpha of 0 is no transparency
    half = Image.new("LA", (2, 2), (0, 128))
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 1), 1)
    assert decoded(encoded(clear, "PNG")).pixels[0].min() == 255
    assert decoded(encoded(half, "PNG")).pixels.tolist()[0][0] == [127] * 3
    assert decoded(encoded(palette, "PNG", transparency=0)).pixels[0].min() == 255
    assert decoded(encoded(palette, "PNG")).pixels.tolist()[0][0] == [10, 20, 30]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_exif_rotation_is_applied(format_: str, orientation: int) -> None:
    wide = np.zeros((32, 64, 3), dtype=np.uint8)
    wide[:16, :32] = 255  # the upper left quarter
    # What a camera that was held so would store: undo each turn of the standard's table.
    stored = {
        1: wide, 2: wide[:, ::-1], 3: wide[::-1, ::-1], 4: wide[::-1],
        5: wide.transpose(1, 0, 2), 6: np.rot90(wide, 1),
        7: wide[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(wide, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    result = decoded(encoded(image, format_, exif=exif))
    assert (result.width, result.height) == (64, 32)
    assert np.abs(result.pixels.astype(int) - wide).mean() < 2


def test_float_and_32_bit_integer_tiff_are_refused_with_advice() -> None:
    for pixels in (np.zeros((4, 4), np.float32), np.zeros((4, 4), np.int32)):
        data = encoded(Image.fromarray(pixels), "TIFF")
        with pytest.raises(Unjudgeable, match="export 8 or 16 bits") as caught:
            decoded(data)
        assert caught.value.reason is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize("format_", ["TIFF", "WEBP", "PNG"])
def test_the_first_of_several_frames_counts(format_: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if format_ == "WEBP" else {}
    data = encoded(frames[0], format_, save_all=True, append_images=frames[1:], **options)
    assert decoded(data).pixels[0, 0].tolist() == [255, 0, 0]


def test_the_size_is_checked() -> None:
    data = encoded(PICTURE, "PNG")
    assert decode(data, max_pixels=MAX_PIXELS, expected=ImageSize(width=64, height=48))
    assert reason(data, ImageSize(width=48, height=64)) is Reason.WRONG_SIZE


def test_too_many_pixels_are_refused_by_the_header_alone() -> None:
    data = _png(60_000, 60_000, bit_depth=8, colour_type=0, rows=b"")
    assert reason(data) is Reason.TOO_LARGE  # whose pixels are not there: they were never asked for
    data = encoded(Image.new("L", (1001, 1000)), "PNG")
    assert reason(data) is Reason.TOO_LARGE


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_truncated_at_every_tenth(format_: str) -> None:
    data = encoded(PICTURE, format_)
    for tenth in range(10):
        kept = data[: len(data) * tenth // 10]
        assert reason(kept) in (Reason.CORRUPT, Reason.NOT_AN_IMAGE), tenth
        if tenth >= 5:  # the signature is whole: it was an image once
            assert reason(kept) is Reason.CORRUPT


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_damaged_bytes_never_raise_anything_else(format_: str) -> None:
    data = encoded(PICTURE, format_)
    rng = np.random.default_rng(7)
    for _ in range(300):
        broken = bytearray(data)
        # Headers are where parsers go wrong, so half of the damage is done there.
        reach = len(data) if rng.random() < 0.5 else 64
        for place in rng.integers(0, reach, rng.integers(1, 8)):
            broken[place] = rng.integers(0, 256)
        try:
            result = decoded(bytes(broken))
        except Unjudgeable:
            continue
        assert result.pixels.shape[2] == 3


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_polyglot_and_a_broken_exif_do_not_escape() -> None:
    data = encoded(PICTURE, "PNG") + b"PK\x03\x04 and a zip behind it"
    assert decoded(data).width == 64
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40
    image = encoded(PICTURE, "JPEG", exif=exif)
    assert decoded(image).width == 64


def test_digest_is_the_files_sha256() -> None:
    assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_pillows_global_guards_stay_on() -> None:
    from PIL import ImageFile

    decoded(encoded(PICTURE, "PNG"))
    assert Image.MAX_IMAGE_PIXELS is not None
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def _png(width: int, height: int, *, bit_depth: int, colour_type: int, rows: bytes) -> bytes:
    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, io.SEEK_END)
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        out.write(struct.pack(">I", len(body)) + kind + body)
        out.write(struct.pack(">I", zlib.crc32(kind + body)))
    return out.getvalue()
