"""Decodes a picture's bytes to 8-bit RGB, or says why it cannot.

What is read: PNG, JPEG, BMP, TIFF and WebP; no other format is even tried. Of a file with several
frames or pages the first counts. What becomes of the pixels:

- 8-bit grey, 1-bit and palette: to RGB.
- 10- to 16-bit grey: full range to full range, 0..65535 to 0..255. How many of 16 bits carry the
  value is what TIFF's MaxSampleValue says, or the product's file.
- 16 bits a channel in colour: the upper 8 bits, as Pillow reads them.
- Transparency (RGBA, LA, palette with transparency): laid on white, unless nothing would be seen.
- CMYK and YCbCr: converted without colour profile. Embedded profiles are not applied.
- EXIF orientation: applied, so width and height are those a person sees.
- Signed and float samples, Bayer mosaics and what else is not read: refused by name.

The header comes first (`vision.headers`): sizes, scans and what lies beside the pixels are held
against their limits before any pixel is decoded. A file that ends too early is `corrupt`; what
decoders merely warn of is the picture's `flaw`. `docs/pictures.md` has all of it for integrators.

A JPEG, grey or in colour, is decoded by simplejpeg: by libjpeg-turbo as in Pillow, so to the same
pixels, but sooner, and with its warnings. A flawed one is drawn by Pillow.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import simplejpeg

# Named here so that Pillow never goes looking for other plug-ins while a picture waits.
from PIL import (
    BmpImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from linewatch.products import ImageSize
from producer.contract import Reason
from vision import headers
from vision.errors import Unjudgeable
from vision.headers import Header, jpeg
from vision.headers.header import corrupt, not_read, too_large
from vision.headers.reading import FORMATS
from vision.headers.tiff import TiffParts
from vision.pixels import Converted, from_image, from_plain_tiff, turned

MAX_ROW = 1 << 18  # pixels: a picture is converted in bands of whole rows
_ORIENTATION = 0x0112  # EXIF


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture's pixels: uint8 [height, width, 3], RGB, contiguous.

    Args:
        pixels: they.
        flaw: what a decoder said against the file; a person should look. None: nothing.
        advice: what is likely to be set wrong for its camera; the picture may be as it should.
    """

    pixels: npt.NDArray[np.uint8]
    flaw: str | None = None
    advice: str | None = None

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])


def digest(data: bytes) -> str:
    """The SHA-256 of a picture's file, in hex."""
    return hashlib.sha256(data).hexdigest()


def decode(
    data: bytes, *, max_pixels: int, expected: ImageSize | None = None, bits: int | None = None
) -> Decoded:
    """Decode a picture's file: `read_header`, then `decode_pixels`.

    Args:
        data: the whole file.
        max_pixels: the most width times height that is decoded.
        expected: the size that the picture must have, or None for any.
        bits: that carry the value of a 16-bit sample; None: as the file says, or all.

    Raises:
        Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
        MemoryError: the machine has no room for the pixels; the picture is not to blame.
    """
    header = read_header(data, max_pixels=max_pixels, expected=expected)
    return decode_pixels(data, header, expected=expected, bits=bits)


def read_header(data: bytes, *, max_pixels: int, expected: ImageSize | None = None) -> Header:
    """What the file promises; no pixel is decoded. Arguments as in `decode`.

    Raises:
        Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
    """
    header = headers.read(data)
    if header.pixels > max_pixels:
        detail = (
            f"{header.width}×{header.height} pixels; LINEWATCH_MAX_IMAGE_PIXELS is {max_pixels}"
        )
        raise too_large(detail)
    if header.width > MAX_ROW:
        raise too_large(f"a row of {header.width} pixels; at most {MAX_ROW} are decoded")
    sides = (header.width, header.height)
    # Which of the two it is, EXIF says; where that lies behind the pixels, one knows only then.
    if expected is not None and sorted(sides) != sorted((expected.width, expected.height)):
        raise _wrong_size(*sides, expected)
    return header


def decode_pixels(
    data: bytes, header: Header, *, expected: ImageSize | None = None, bits: int | None = None
) -> Decoded:
    """Decode what `read_header` let pass. The GIL is released in the work that takes long.

    It takes `header.memory(len(data))` bytes at most.

    Raises:
        Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
        MemoryError: the machine has no room for the pixels; the picture is not to blame.
    """
    try:
        flaw = headers.check(data, header)
        converted = _converted(data, header, bits)
    except (Unjudgeable, MemoryError):
        raise
    except UnidentifiedImageError:
        if header.format == "TIFF":  # its header was read whole
            raise not_read(header.kind) from None
        raise corrupt("begins like an image, but its header is damaged") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(str(error)) from None
    except Exception as error:  # hostile bytes make Pillow's parsers raise nearly anything
        raise corrupt(f"cannot be decoded: {error!s:.200}") from None
    pixels = np.ascontiguousarray(converted.pixels)
    height, width = pixels.shape[:2]
    if expected is not None and (width, height) != (expected.width, expected.height):
        raise _wrong_size(width, height, expected)
    return Decoded(pixels, flaw or converted.flaw, converted.advice)


def _wrong_size(width: int, height: int, expected: ImageSize) -> Unjudgeable:
    return Unjudgeable(
        Reason.WRONG_SIZE,
        f"{width}×{height} pixels; the product's pictures have {expected.width}×{expected.height}",
    )


def _converted(data: bytes, header: Header, bits: int | None) -> Converted:
    parts = header.parts
    if isinstance(parts, TiffParts) and _is_read_here(header, parts, bits):
        found = from_plain_tiff(data, header, parts, bits)
        return Converted(turned(found.pixels, parts.orientation), found.flaw, found.advice)
    if header.format == "JPEG" and jpeg.is_upright(header) and header.samples != 4:
        with suppress(ValueError):  # what is said against it is looked at below
            return _strictly(data, header)
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        # A file that shows each library another size might pass the check of its area.
        if sorted(image.size) != sorted((header.width, header.height)):
            raise corrupt("its header says two sizes")
        if header.format == "JPEG":
            found = _jpeg(image, data, header)
        else:
            found = from_image(image, header, bits)
        # Last: a PNG's may lie behind its pixels, and of a TIFF Pillow applies it as it loads.
        orientation = image.getexif().get(_ORIENTATION, 1)
    return Converted(turned(found.pixels, orientation), found.flaw, found.advice)


def _is_read_here(header: Header, parts: TiffParts, bits: int | None) -> bool:
    """Whether the samples are read here.

    Pillow unpacks no 10 bits, takes the upper half of deep colour, knows no checksum, and opens no
    big-endian BigTIFF.
    """
    if parts.unopened:
        return True
    deep = header.bits == 16 and (bits or header.significant_bits or 16) < 16
    return parts.packed or (parts.plain and (parts.deflated or deep))


def _jpeg(image: Image.Image, data: bytes, header: Header) -> Converted:
    """A JPEG's pixels, with what libjpeg said against it.

    Raises:
        Unjudgeable: corrupt, where the file ends too early.
    """
    if header.samples == 4:
        flaw = jpeg.flaw(data, header)
    else:
        try:
            return _strictly(data, header)
        except ValueError as error:
            flaw = jpeg.said_against(data, header, str(error))
    return Converted(from_image(image, header, None).pixels, flaw)


def _strictly(data: bytes, header: Header) -> Converted:
    """The pixels of a grey or colour JPEG without a flaw.

    Raises:
        ValueError: libjpeg warns of something, which Pillow would take without a word.
    """
    pixels = simplejpeg.decode_jpeg(data, "RGB", strict=True)
    if pixels.shape[:2] != (header.height, header.width):
        raise ValueError("its header says two sizes")
    return Converted(pixels)
