"""Files that were cut, or lost a piece, or are whole and only look odd."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from producer.contract import Reason
from tests.acceptance.faults.corpus_valid import adam7
from tests.support.pictures import encoded, texture
from tests.support.tiff import tiff
from vision.decode import Decoded, decode
from vision.errors import Unjudgeable

PICTURE = Image.fromarray(texture(320, 240))
_NOISE = np.random.default_rng(0).normal(0, 4, (240, 320, 3))
SHARP = Image.fromarray(np.random.default_rng(5).integers(0, 256, (120, 160, 3), dtype=np.uint8))

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def _files() -> dict[str, bytes]:
    files = {
        "jpeg": encoded(PICTURE, "JPEG", quality=92),
        "jpeg, sharp": encoded(SHARP, "JPEG", quality=95),
        "jpeg, grey": encoded(PICTURE.convert("L"), "JPEG", quality=92),
        "jpeg, optimised": encoded(PICTURE, "JPEG", quality=92, optimize=True),
        "jpeg, restarts": encoded(PICTURE, "JPEG", quality=92, restart_marker_rows=2),
        "jpeg, progressive": encoded(PICTURE, "JPEG", quality=92, progressive=True),
        "jpeg, CMYK": encoded(PICTURE.convert("CMYK"), "JPEG", quality=92),
        "png": encoded(PICTURE, "PNG"),
        "png, 16 bits": encoded(
            Image.fromarray(np.asarray(PICTURE.convert("L")).astype(np.uint16) * 257), "PNG"
        ),
        "png, interlaced": adam7(np.asarray(PICTURE)),
        "webp, lossless": encoded(PICTURE, "WEBP", lossless=True),
        "webp": encoded(SHARP, "WEBP", quality=90),
        "bmp, runs": _rle(np.asarray(PICTURE.convert("L"))),
    }
    exif = Image.Exif()
    exif[0x0112] = 6
    files["jpeg, turned"] = encoded(PICTURE, "JPEG", quality=92, exif=exif)
    noisy = Image.fromarray(np.clip(_NOISE + np.asarray(PICTURE), 1, 254).astype(np.uint8))
    files["jpeg, noisy, optimised"] = encoded(noisy, "JPEG", quality=95, optimize=True)
    files["jpeg, noisy, grey"] = encoded(noisy.convert("L"), "JPEG", quality=95)
    files["jpeg, noisy, progressive"] = encoded(noisy, "JPEG", quality=100, progressive=True)
    files["jpeg, noisy, CMYK"] = encoded(noisy.convert("CMYK"), "JPEG", quality=95)
    see_through = noisy.convert("RGBA")
    see_through.putalpha(noisy.convert("L"))
    files["webp, alpha"] = encoded(see_through, "WEBP", quality=95)
    animation = {"save_all": True, "append_images": [PICTURE.transpose(Image.Transpose.ROTATE_180)]}
    files["webp, animation"] = encoded(noisy, "WEBP", quality=80, **animation)
    for name in ("group3", "group4", "tiff_ccitt"):
        files[f"tiff, {name}"] = encoded(noisy.convert("1"), "TIFF", compression=name)
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        files[f"tiff, {name.removeprefix('tiff_')}"] = encoded(PICTURE, "TIFF", compression=name)
    files["tiff, deflated tiles"] = _tiled_deflate()
    return files


def _rle(grey: np.ndarray) -> bytes:
    """An 8-bit BMP in runs; cameras write them, Pillow does not."""
    rows = b""
    for row in grey[::-1]:
        at = 0
        while at < len(row):
            length = 1
            while at + length < len(row) and length < 255 and row[at + length] == row[at]:
                length += 1
            rows += bytes((length, int(row[at])))
            at += length
        rows += b"\0\0"
    rows += b"\0\1"
    plain = encoded(Image.fromarray(grey), "BMP")
    head = bytearray(plain[: 54 + 1024])
    head[30:34], head[34:38] = (1).to_bytes(4, "little"), len(rows).to_bytes(4, "little")
    head[2:6] = (len(head) + len(rows)).to_bytes(4, "little")
    return bytes(head) + rows


def _tiled_deflate() -> bytes:
    tile = zlib.compress(texture(256, 256).tobytes())
    more = [(322, 3, [256]), (323, 3, [256]), (324, 4, [len(tile)]), (325, 4, [len(tile)])]
    data = tiff(
        b"", width=256, height=256, bits=8, photometric=2, samples=3, compression=8, more=more
    )
    more[2] = (324, 4, [len(data)])
    data = tiff(
        b"", width=256, height=256, bits=8, photometric=2, samples=3, compression=8, more=more
    )
    return data + tile


FILES = _files()
PLAIN = {name: encoded(PICTURE, name) for name in ("BMP", "TIFF")}
NO_CHECKSUM = (
    "webp",
    "webp, alpha",
    "webp, animation",
    "webp, lossless",
    "bmp, runs",
    "tiff, lzw",
    "tiff, packbits",
)


def _damages(data: bytes) -> Iterator[tuple[str, bytes]]:
    size, rng = len(data), np.random.default_rng(3)
    for percent in (20, 40, 60, 80, 95):
        at = size * percent // 100
        lost = size - at
        yield f"cut at {percent}", data[:at]
        yield f"zeros from {percent}", data[:at] + bytes(lost)
        yield f"0xFF from {percent}", data[:at] + b"\xff" * lost
        yield f"noise from {percent}", data[:at] + rng.bytes(lost)
        hole = min(4096, size // 10)
        yield f"hole at {percent}", data[:at] + bytes(hole) + data[at + hole :]
        yield f"lost sector at {percent}", data[:at] + bytes(512) + data[at + 512 :]
    if data[-2:] == b"\xff\xd9":
        at = size // 2
        yield "zeros, then the end mark", data[:at] + bytes(size - at - 2) + b"\xff\xd9"
        yield "the end mark at half", data[:at] + b"\xff\xd9"
        yield "no end mark", data[:-2]


def ended(data: bytes) -> Decoded | Unjudgeable:
    try:
        return decode(data, max_pixels=1_000_000)
    except Unjudgeable as error:
        return error


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_rejected_or_goes_to_a_person(name: str) -> None:
    whole = ended(FILES[name])
    assert isinstance(whole, Decoded), whole
    assert whole.flaw is None
    passed = []
    for kind, data in _damages(FILES[name]):
        found = ended(data)
        if isinstance(found, Unjudgeable):
            assert found.reason is Reason.CORRUPT, (kind, found.detail)
        elif found.flaw is None:
            passed.append(kind)
        else:
            assert "cut" not in kind, kind  # what ends too early is never drawn
    if name in NO_CHECKSUM:  # bytes that are there and wrong, nothing in the file tells from right
        passed = [kind for kind in passed if not kind.startswith(("noise", "0xFF"))]
    assert passed == []


@pytest.mark.parametrize("name", PLAIN)
def test_pixels_without_coding_are_all_there_or_the_file_is_cut(name: str) -> None:
    data = PLAIN[name]
    assert isinstance(ended(data), Decoded)
    for percent in (50, 95, 99):
        found = ended(data[: len(data) * percent // 100])
        assert isinstance(found, Unjudgeable)
        assert found.reason is Reason.CORRUPT


STRIPS_AT = 8 + 2 + 9 * 12 + 4 + 2 * 16  # header, nine tags, where four strips lie


def _plain() -> dict[str, bytes]:
    """Files without coding, of rows that are no multiples of a disk's block."""
    colour = np.clip(_NOISE + np.asarray(PICTURE), 1, 254).astype(np.uint8)[:, :300]
    grey = colour[:, :, 0]
    wide = {"width": 300, "height": 240}
    files = {f"bmp, {mode}": Image.fromarray(colour).convert(mode) for mode in ("L", "RGB", "RGBA")}
    made = {name: encoded(image, "BMP") for name, image in files.items()}
    made["tiff"] = encoded(Image.fromarray(colour), "TIFF")
    made["tiff, 16 bits"] = tiff((grey.astype("<u2") * 257).tobytes(), bits=16, **wide)
    made["tiff, Mono12"] = tiff((grey.astype("<u2") * 4).tobytes(), bits=16, **wide)
    strips = [grey[top : top + 60].tobytes() for top in range(0, 240, 60)]
    made["tiff, strips"] = tiff(
        b"".join(strips),
        bits=8,
        offsets=[STRIPS_AT + 18_000 * n for n in range(4)],
        counts=[18_000] * 4,
        rows=60,
        **wide,
    )
    return made


@pytest.mark.parametrize("name", _plain())
def test_a_lost_tail_or_piece_of_plain_pixels_goes_to_a_person(name: str) -> None:
    data = _plain()[name]
    whole = ended(data)
    assert isinstance(whole, Decoded)
    assert whole.flaw is None
    for percent in (5, 25, 50, 75, 90, 98):
        at = len(data) * percent // 100
        lost = [data[:at] + bytes(len(data) - at)]
        if percent < 90:
            lost.append(data[:at] + bytes(4096) + data[at + 4096 :])
        for damaged in lost:
            found = ended(damaged)
            assert isinstance(found, Decoded)
            assert found.flaw is not None, percent
            assert "may be lost" in found.flaw


def test_black_areas_of_plain_pixels_are_no_reason() -> None:
    rng = np.random.default_rng(2)
    for seed in range(40):
        pixels = np.clip(texture(300, 200, seed) + rng.normal(0, 4, (200, 300, 3)), 1, 255)
        left, right = rng.integers(0, 40, 2)
        mask = np.zeros((200, 300, 1))
        y, x = np.mgrid[:200, :300]
        shapes = (
            (x >= left) & (x < 300 - right) & (y > 20) & (y < 170),  # a frame
            y < 150,  # lines of a line-scan camera that never came
            (x - 150) ** 2 + (y - 100) ** 2 < 90**2,
            y < 100 + (x - 150) * rng.choice([-1, 1]) * rng.uniform(0.02, 0.5),  # a slanting edge
            (y % 50 > 2) & (x % 50 > 2),  # cross hairs
        )
        mask[shapes[seed % 5]] = 1
        fading = np.clip(1.3 - y / 120, 0, 1)[:, :, None]
        for picture in (pixels * mask, pixels * fading, rng.normal(-1, 2, pixels.shape)):
            image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
            for format_ in PLAIN:
                found = ended(encoded(image, format_))
                assert isinstance(found, Decoded)
                assert found.flaw is None, (seed, format_)


def test_a_colour_map_that_is_cut_off_is_named_as_that() -> None:
    data = encoded(PICTURE.quantize(200), "TIFF", compression="tiff_lzw")
    assert isinstance(ended(data), Decoded)
    found = ended(data[:-40])
    assert isinstance(found, Unjudgeable)
    assert found.reason is Reason.CORRUPT
    assert "tag 320" in found.detail


def test_deflated_damage_that_unpacks_to_more_is_corrupt_and_may_be_read_again() -> None:
    pixels = np.asarray(PICTURE).astype(">u2") * 257
    strip = bytearray(zlib.compress(pixels.tobytes()))
    form = {"width": 320, "height": 240, "bits": 16, "photometric": 2, "samples": 3}
    whole = tiff(bytes(strip), **form, compression=8, order=">")
    assert isinstance(ended(whole), Decoded)
    at = len(whole) - len(strip) + len(strip) // 20
    found = ended(whole[:at] + bytes(len(whole) - at))
    assert isinstance(found, Unjudgeable)
    assert found.reason is Reason.CORRUPT, found.detail


def test_strips_that_are_short_or_beyond_the_file_are_corrupt() -> None:
    pixels = np.asarray(PICTURE.convert("L")).tobytes()
    form = {"width": 320, "height": 240, "bits": 8}
    assert isinstance(ended(tiff(pixels, **form)), Decoded)
    for wrong in (
        tiff(pixels, **form, counts=[len(pixels) // 2]),
        tiff(pixels, **form, offsets=[10_000]),
        tiff(pixels, **form, offsets=[2**31]),
        tiff(pixels[:-1], **form, counts=[len(pixels)]),
        tiff(pixels[:-1], **form),
    ):
        found = ended(wrong)
        assert isinstance(found, Unjudgeable)
        assert found.reason is Reason.CORRUPT


def test_the_zeroed_tail_of_a_jpeg_is_corrupt() -> None:
    for name in ("jpeg", "jpeg, grey", "jpeg, sharp", "jpeg, progressive", "jpeg, turned"):
        data = FILES[name]
        for percent in (25, 50, 75):
            at = len(data) * percent // 100
            found = ended(data[:at] + bytes(len(data) - at))
            assert isinstance(found, Unjudgeable), (name, percent)
            assert found.reason is Reason.CORRUPT


def test_a_progressive_jpeg_without_its_last_scans_goes_to_a_person() -> None:
    data = FILES["jpeg, progressive"]
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    tables = data.rindex(b"\xff\xc4", 0, scans[-1])
    found = ended(data[: min(scans[-1], tables)] + b"\xff\xd9")
    assert isinstance(found, Decoded)
    assert found.flaw is not None
    assert "lacks scans" in found.flaw


def test_a_decoders_warning_goes_to_a_person_with_its_words() -> None:
    data = FILES["jpeg"]
    found = ended(data[:-2] + b"padding" + data[-2:])
    assert isinstance(found, Decoded)
    assert found.flaw is not None
    assert "extraneous bytes" in found.flaw


@pytest.mark.parametrize("name", [*FILES, *PLAIN])
def test_what_cameras_append_is_no_damage(name: str) -> None:
    data = {**FILES, **PLAIN}[name]
    alone = ended(data)
    assert isinstance(alone, Decoded)
    for behind in (b"\0" * 5000, b"VENDOR\0" * 99, b"\xff\xd9", FILES["jpeg"], b"\xff\xda" * 500):
        found = ended(data + behind)
        assert isinstance(found, Decoded), (behind[:8], found)
        assert found.flaw is None, (behind[:8], found.flaw)
        np.testing.assert_array_equal(found.pixels, alone.pixels)


def _uniform() -> Iterator[tuple[str, bytes]]:
    for colour in ((0, 0, 0), (128, 128, 128), (255, 255, 255), (37, 90, 200)):
        flat = Image.new("RGB", (320, 240), colour)
        half = np.asarray(PICTURE).copy()
        half[90:] = colour
        for picture in (flat, Image.fromarray(half)):
            for options in ({}, {"optimize": True}, {"progressive": True}, {"quality": 20}):
                yield "JPEG", encoded(picture, "JPEG", **options)
            for options in ({}, {"lossless": True}, {"quality": 20}):
                yield "WEBP", encoded(picture, "WEBP", **options)
            for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
                yield compression, encoded(picture, "TIFF", compression=compression)
            yield "PNG", encoded(picture, "PNG")
            yield "BMP", encoded(picture, "BMP")
            yield "BMP runs", _rle(np.asarray(picture.convert("L")))


def test_a_uniform_area_is_no_reason() -> None:
    for name, data in _uniform():
        found = ended(data)
        assert isinstance(found, Decoded), (name, found)
        assert found.flaw is None, name


def test_a_multi_picture_jpeg_is_held_to_the_same() -> None:
    data = encoded(PICTURE, "MPO", save_all=True, append_images=[PICTURE])
    whole = ended(data)
    assert isinstance(whole, Decoded)
    assert whole.flaw is None
    first = data.index(b"\xff\xd9\xff\xd8") if b"\xff\xd9\xff\xd8" in data else len(data) // 2
    at = first // 2
    found = ended(data[:at] + bytes(len(data) - at))
    assert isinstance(found, Unjudgeable)
    assert found.reason is Reason.CORRUPT
    assert isinstance(Image.open(io.BytesIO(data)).format, str)
