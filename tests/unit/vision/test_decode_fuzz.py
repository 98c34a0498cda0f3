"""Valid files, mutated: the decoder gives pixels or a reason, and nothing else ever."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from producer.contract import Reason
from tests.support.pictures import encoded, texture
from vision.decode import Decoded, decode
from vision.errors import Unjudgeable

MAX_PIXELS = 100_000
REASONS = {Reason.CORRUPT, Reason.NOT_AN_IMAGE, Reason.TOO_LARGE}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def _valid() -> list[bytes]:
    picture = Image.fromarray(texture(32, 24))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [encoded(picture, name) for name in ("PNG", "BMP", "TIFF", "WEBP", "JPEG")]
    files += [encoded(picture.convert("P"), name) for name in ("PNG", "TIFF", "BMP")]
    files += [encoded(picture.convert("CMYK"), name) for name in ("JPEG", "TIFF")]
    files += [encoded(picture, "JPEG", progressive=True, exif=exif)]
    files += [encoded(picture, "TIFF", compression=c) for c in ("tiff_lzw", "jpeg", "packbits")]
    files += [encoded(picture.convert("1"), "TIFF", compression="group4")]
    return files


VALID = _valid()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file after a few cuts, repeats, overwrites and exchanged pieces of another."""
    data = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        # Headers are where parsers go wrong.
        reach = draw(st.sampled_from([64, 512, len(data)]))
        place = draw(st.integers(0, max(0, min(reach, len(data)) - 1)))
        length = draw(st.integers(0, 16))
        kind = draw(st.sampled_from(["overwrite", "insert", "cut", "end", "repeat", "graft"]))
        if kind == "overwrite":
            piece = draw(st.binary(min_size=1, max_size=8))
            data[place : place + len(piece)] = piece
        elif kind == "insert":
            data[place:place] = draw(st.binary(max_size=16))
        elif kind == "cut":
            del data[place : place + length]
        elif kind == "end":
            del data[place:]
        elif kind == "repeat":
            data[place:place] = data[place : place + length] * 3
        else:
            other = draw(st.sampled_from(VALID))
            data[place:] = other[place:]
    return bytes(data)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_a_mutated_file_gives_pixels_or_a_reason(data: bytes) -> None:
    ended = _ended(data)
    if isinstance(ended, Unjudgeable):
        assert ended.reason in REASONS
        assert ended.detail
        return
    assert ended.width * ended.height <= MAX_PIXELS
    assert ended.pixels.shape == (ended.height, ended.width, 3)
    assert ended.pixels.dtype == np.uint8


def _ended(data: bytes) -> Decoded | Unjudgeable:
    try:
        return decode(data, max_pixels=MAX_PIXELS)
    except Unjudgeable as error:
        return error


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(VALID), st.binary(max_size=64))
def test_what_lies_behind_a_picture_changes_nothing(data: bytes, behind: bytes) -> None:
    alone = decode(data, max_pixels=MAX_PIXELS)
    np.testing.assert_array_equal(decode(data + behind, max_pixels=MAX_PIXELS).pixels, alone.pixels)


def _jpegs() -> list[bytes]:
    picture = Image.fromarray(texture(41, 27))
    return [
        encoded(picture.convert(mode), "JPEG", quality=quality, progressive=way, subsampling=2)
        for mode in ("RGB", "L")
        for quality in (30, 92)
        for way in (False, True)
    ]


@st.composite
def flawed(draw: st.DrawFn) -> bytes:
    """A JPEG with a few bytes changed, cut out, or put behind it."""
    data = bytearray(draw(st.sampled_from(_jpegs())))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["overwrite", "cut", "end", "behind"]))
        if kind == "overwrite":
            data[place] = draw(st.integers(0, 255))
        elif kind == "cut" and len(data) > 100:
            del data[place : place + draw(st.integers(1, 30))]
        elif kind == "end":
            del data[max(1, place) :]
        else:
            data += draw(st.binary(min_size=1, max_size=40))
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(flawed())
def test_a_jpeg_that_is_drawn_is_what_pillow_makes_of_it(data: bytes) -> None:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            wanted = np.asarray(image.convert("RGB"))
    except Exception:
        assert isinstance(_ended(data), Unjudgeable)
        return
    ended = _ended(data)
    if isinstance(ended, Unjudgeable):  # Pillow draws grey where a file ends, without a word
        assert ended.reason in REASONS
        return
    if image.getexif().get(0x0112, 1) != 1:
        return
    np.testing.assert_array_equal(ended.pixels, wanted)
