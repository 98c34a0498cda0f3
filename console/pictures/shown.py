"""A picture's file as a browser can show it: as it is, as PNG, or as a small JPEG."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum

from PIL import Image

from vision.decode import Decoded, decode_pixels, read_header
from vision.headers import Header


class Size(IntEnum):
    """Pixels of the longer side; few, so that the small pictures kept serve many pages."""

    TINY = 160
    SMALL = 320
    MEDIUM = 640
    LARGE = 1280


_SHOWN_BY_BROWSERS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
_QUALITY = 85
# A large picture decoded takes hundreds of megabytes: many at once would take all there are.
_decoding = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is sent.

    Attributes:
        data: the file.
        media_type: such as image/jpeg.
    """

    data: bytes
    media_type: str


def whole(data: bytes, *, max_pixels: int, bits: int | None = None) -> Shown:
    """The picture in full; a format that browsers do not show (TIFF, deep grey) becomes PNG.

    Args:
        data: the picture's file.
        max_pixels: the most width times height that is decoded.
        bits: that carry the value of a 16-bit sample; None: as the file says, or all.

    Raises:
        vision.errors.Unjudgeable: it is no picture, damaged or too large.
    """
    header = read_header(data, max_pixels=max_pixels)
    media_type = _SHOWN_BY_BROWSERS.get(header.format)
    if media_type is not None and header.bits <= 8:
        return Shown(data, media_type)
    return Shown(_encoded(_image(data, header, bits), "PNG"), "image/png")


def small(data: bytes, size: Size, *, max_pixels: int, bits: int | None = None) -> Shown:
    """The picture as a JPEG whose longer side has `size` pixels at most; else as `whole`.

    Raises:
        vision.errors.Unjudgeable: it is no picture, damaged or too large.
    """
    header = read_header(data, max_pixels=max_pixels)
    image = _image(data, header, bits)
    image.thumbnail((size, size), Image.Resampling.BOX, reducing_gap=2.0)
    return Shown(_encoded(image, "JPEG"), "image/jpeg")


def _image(data: bytes, header: Header, bits: int | None) -> Image.Image:
    with _decoding:
        decoded: Decoded = decode_pixels(data, header, bits=bits)
        return Image.fromarray(decoded.pixels)


def _encoded(image: Image.Image, format_: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, quality=_QUALITY)
    return buffer.getvalue()


class SmallPictures:
    """Small pictures that were made lately: walls ask for the same ones again and again.

    Safe to share between threads.

    Args:
        max_bytes: what is kept of them together.
    """

    def __init__(self, max_bytes: int = 32 * 1024**2) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._kept: OrderedDict[str, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Shown | None:
        """The one kept under `key`."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, picture: Shown) -> None:
        """Keep it, and let go of those that nobody asked for the longest."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = picture
            self._bytes += len(picture.data)
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1].data)
