"""Decodes a picture's bytes to 8-bit RGB, or says why it cannot.

What is read: PNG, JPEG, BMP, TIFF and WebP; no other format is even tried. Of a file with several
frames or pages the first counts. What becomes of the pixels:

- 8-bit grey, 1-bit and palette: to RGB.
- 16-bit grey: full range to full range, 0..65535 to 0..255. A 12-bit camera that fills only the
  lower bits gives a dark picture; let it scale its own.
- 16 bits a channel in colour: the upper 8 bits, as Pillow reads them.
- Transparency (RGBA, LA, palette with transparency): laid on white.
- CMYK and YCbCr: converted without colour profile. Embedded profiles are not applied.
- EXIF orientation: applied, so width and height are those a person sees.
- 32-bit integer and float pixels: refused, for nothing says which value is white.

Header sizes are checked against `max_pixels` before any pixel is decoded, and Pillow's own bomb
limit stays on as a second fence.

A JPEG without a flaw, grey or in colour and upright, is decoded by simplejpeg: by libjpeg-turbo as
in Pillow, so to the same pixels, but sooner. Whatever it says a word against is Pillow's to judge.
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
from vision.errors import Unjudgeable

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture's pixels: uint8 [height, width, 3], RGB, contiguous."""

    pixels: npt.NDArray[np.uint8]

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


def decode(data: bytes, *, max_pixels: int, expected: ImageSize | None = None) -> Decoded:
    """Decode a picture's file. The GIL is released in the work that takes long.

    Args:
        data: the whole file.
        max_pixels: the most width times height that is decoded.
        expected: the size that the picture must have, or None for any.

    Raises:
        Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
        MemoryError: the machine has no room for the pixels; the picture is not to blame.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_area(image, max_pixels)
            pixels = _flawless_jpeg(image, data)
            if pixels is None:
                pixels = _rgb(_upright(image))
    except (Unjudgeable, MemoryError):
        raise
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unjudgeable(Reason.TOO_LARGE, str(error)) from None
    except Exception as error:  # hostile bytes make Pillow's parsers raise nearly anything
        raise Unjudgeable(Reason.CORRUPT, f"cannot be decoded: {error!s:.200}") from None
    decoded = Decoded(np.ascontiguousarray(pixels))
    _check_size(decoded, expected)
    return decoded


def _check_area(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        detail = f"{width}×{height} pixels; LINEWATCH_MAX_IMAGE_PIXELS is {max_pixels}"
        raise Unjudgeable(Reason.TOO_LARGE, detail)


def _check_size(decoded: Decoded, expected: ImageSize | None) -> None:
    if expected is None or (decoded.width, decoded.height) == (expected.width, expected.height):
        return
    raise Unjudgeable(
        Reason.WRONG_SIZE,
        f"{decoded.width}×{decoded.height} pixels; the product's pictures have "
        f"{expected.width}×{expected.height}",
    )


def _flawless_jpeg(image: Image.Image, data: bytes) -> npt.NDArray[np.uint8] | None:
    """A plain JPEG's pixels, or None for Pillow to decode it.

    Both libraries must see the same size: a file that shows each another one might pass the check
    of its area. In its strict way simplejpeg refuses what libjpeg warns of and Pillow takes.
    """
    if image.format != "JPEG" or image.mode not in ("RGB", "L") or _turn(image) is not None:
        return None
    with suppress(ValueError):
        height, width, *_ = simplejpeg.decode_jpeg_header(data, strict=True)
        if (width, height) == image.size:
            pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", strict=True)
            return pixels
    return None


def _turn(image: Image.Image) -> Image.Transpose | None:
    return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # first: of a TIFF Pillow applies the orientation as it loads, and takes it out
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.mode.startswith("I;16"):
        return _from_16_bit_grey(image)
    if image.mode in ("I", "F"):
        kind = "float" if image.mode == "F" else "integer"
        detail = f"32-bit {kind} pixels say not which value is white; export 8 or 16 bits"
        raise Unjudgeable(Reason.NOT_AN_IMAGE, detail)
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), layers)
    return np.array(image.convert("RGB"))  # a copy: torch wants it writable


def _from_16_bit_grey(image: Image.Image) -> npt.NDArray[np.uint8]:
    grey = np.asarray(image).astype(np.uint32)
    scaled = ((grey * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(scaled[:, :, None], 3, axis=2)


def _unidentified(data: bytes) -> Unjudgeable:
    # RIFF holds sound and film as well; a file cut before its kind may have been WebP.
    webp = data.startswith(b"RIFF") and b"WEBP".startswith(data[8:12])
    if webp or data.startswith(_SIGNATURES):
        return Unjudgeable(Reason.CORRUPT, "begins like an image, but its header is damaged")
    return Unjudgeable(Reason.NOT_AN_IMAGE, f"not one of {', '.join(FORMATS)}")
