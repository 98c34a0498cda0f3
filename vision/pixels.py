"""From what a decoder gives to 8-bit RGB, a band of rows at a time.

A whole picture in each of Pillow's steps would take five times the memory of the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from vision.headers.header import Header, not_read
from vision.headers.tiff import TiffParts

Pixels = npt.NDArray[np.uint8]
_BAND_PIXELS = 1 << 18
_DARK = 0xFFF  # of 16 bits: what a 12-bit camera reaches


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """RGB, uint8 [height, width, 3].

    Args:
        pixels: they.
        flaw: why a person should look; None: nothing is odd.
        advice: what is likely to be set wrong, though the picture may be as it should.
    """

    pixels: Pixels
    flaw: str | None = None
    advice: str | None = None


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as a person sees it, by EXIF's orientation; a view."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def from_image(image: Image.Image, header: Header, bits: int | None) -> Converted:
    """Convert an image of Pillow's.

    Args:
        image: of any mode that the header's kind leads to.
        header: of its file.
        bits: that carry the value, of 16; None: as the file says.

    Raises:
        Unjudgeable: not_an_image, for modes that say not which value is white.
    """
    if image.mode.startswith("I;16"):
        bands = (np.asarray(image.crop(box)) for box in _boxes(image.width, image.height))
        return _from_deep(bands, header, bits)
    if image.mode in ("I", "F"):
        raise not_read(header.kind, ": nothing says which value is white", "export 8 or 16 bits")
    if header.bits == 16 and (bits or header.significant_bits or 16) < 16:
        why = f" where {bits or header.significant_bits} bits count"
        remedy = "let the camera use all 16 bits, or save as 8-bit RGB or uncompressed TIFF"
        raise not_read(header.kind, why, remedy)
    out = np.empty((image.height, image.width, 3), np.uint8)
    if image.has_transparency_data and _on_white(image, out):
        return Converted(out)
    # Multiplied by an opacity of 0, no colour is left to ignore it for.
    parts = header.parts
    if isinstance(parts, TiffParts) and parts.premultiplied and image.has_transparency_data:
        raise not_read(header.kind, " where every pixel is transparent", "save without alpha")
    for box in _boxes(image.width, image.height):
        out[box[1] : box[3]] = np.asarray(_opaque(image.crop(box)))
    if header.bits != 16:
        return Converted(out)
    return Converted(out, advice=_advice(int(out.max(initial=0)) << 8, header, bits))


def from_plain_tiff(data: bytes, header: Header, parts: TiffParts, bits: int | None) -> Converted:
    """Convert a TIFF whose strips hold grey or RGB, pixel by pixel.

    Raises:
        Unjudgeable: corrupt or too_large, where they are deflated.
    """
    raw = np.frombuffer(parts.strips.samples(data), np.uint8)
    raw = raw.reshape(header.height, parts.strips.row_bytes)
    rows = (_samples(raw[top:end], header, parts) for _, top, _, end in _boxes_of(header))
    return _from_deep(rows, header, bits)


def _samples(rows: Pixels, header: Header, parts: TiffParts) -> npt.NDArray[np.unsignedinteger]:
    """Rows as stored to samples, [rows, width] or [rows, width, 3]."""
    if parts.packed:
        return _unpacked(rows, header)
    kind = f"{parts.order}u{header.bits // 8}"
    values = rows.view(kind).reshape(len(rows), header.width, header.samples)
    if parts.predicted:
        values = np.cumsum(values, axis=1, dtype=kind[1:])
    return values if header.samples == 3 else values[:, :, 0]


def _unpacked(rows: Pixels, header: Header) -> npt.NDArray[np.uint16]:
    """Samples of `header.bits` bits, the most significant bit first, each row from a byte on."""
    used = header.width * header.bits
    single = np.unpackbits(rows, axis=1)[:, :used].reshape(len(rows), header.width, header.bits)
    values = np.zeros(single.shape[:2], np.uint16)
    for bit in range(header.bits):
        values = (values << 1) | single[:, :, bit]
    return values


def _from_deep(
    bands: Iterator[npt.NDArray[np.unsignedinteger]], header: Header, bits: int | None
) -> Converted:
    """Scale samples of 8 to 16 bits to 8 by their own white."""
    carried = min(bits or header.significant_bits or header.bits, header.bits)
    table = _scale(carried, inverted=header.white_is_zero)
    plain = header.bits == 8 and not header.white_is_zero
    out = np.empty((header.height, header.width, 3), np.uint8)
    top = most = 0
    for band in bands:
        most = max(most, int(band.max(initial=0)))
        # As indices of the machine's width: numpy would convert others piece by piece.
        scaled = band if plain else table.take(band.astype(np.intp), mode="clip")
        rows = out[top : top + len(band)]
        for channel in range(3):  # a third of the time of one broadcast
            rows[:, :, channel] = scaled if scaled.ndim == 2 else scaled[:, :, channel]
        top += len(band)
    flaw = None
    if most >= 1 << carried:
        flaw = f"a pixel has the value {most}, though {carried} bits are said to count"
    return Converted(out, flaw, _advice(most, header, bits))


@lru_cache(maxsize=32)
def _scale(bits: int, *, inverted: bool) -> Pixels:
    """From a sample of 16 bits to one of 8: what lies above `bits` bits is white."""
    white = (1 << bits) - 1
    values = np.minimum(np.arange(1 << 16, dtype=np.uint32), white)
    scaled: Pixels = ((values * 255 + white // 2) // white).astype(np.uint8)
    return 255 - scaled if inverted else scaled


def _advice(most: int, header: Header, bits: int | None) -> str | None:
    if bits or header.significant_bits or header.bits != 16 or not 0 < most <= _DARK:
        return None
    return (
        f"no pixel of a {header.kind} exceeds {_DARK}: if the camera delivers fewer than 16 bits, "
        "say so as `bits:` in the product's file, or its pictures are too dark"
    )


def _on_white(image: Image.Image, out: Pixels) -> bool:
    """Lay a transparent picture on white; False where nothing of it would be seen.

    Cameras leave the fourth byte of a pixel at 0: that is no transparency.
    """
    seen = False
    for box in _boxes(image.width, image.height):
        band = image.crop(box).convert("RGBA")
        seen = seen or band.getchannel("A").getbbox() is not None
        white = Image.new("RGBA", band.size, "white")
        out[box[1] : box[3]] = np.asarray(Image.alpha_composite(white, band).convert("RGB"))
    return seen


def _opaque(band: Image.Image) -> Image.Image:
    band.info.pop("transparency", None)
    return band if band.mode == "RGB" else band.convert("RGB")


def _boxes_of(header: Header) -> Iterator[tuple[int, int, int, int]]:
    return _boxes(header.width, header.height)


def _boxes(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Bands of rows, as Pillow's boxes: left, top, right, bottom."""
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield 0, top, width, min(height, top + rows)
