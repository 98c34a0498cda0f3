"""The promise of a file's header, and the words for what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.contract import Reason
from vision.errors import Unjudgeable

# Beside its pixels a picture may carry this much: EXIF, colour profile, text, preview, tags.
METADATA_BYTES = 8 * 1024**2
METADATA_PARTS = 2_000  # segments, chunks
EXIF_VALUE_BYTES = 1024**2  # Pillow copies every value of a directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A picture as its header describes it.

    Args:
        format: PNG, JPEG, BMP, TIFF or WEBP.
        width, height: pixels, as stored: before any turn that EXIF asks for.
        pixel_bytes: what decoding to RGB holds in memory at its peak, in bytes a pixel.
        kind: the picture in words, for a person who must save it otherwise.
        bits: of a sample, as stored.
        samples: a pixel's.
        white_is_zero: whether the least value of grey is white.
        significant_bits: of a sample's bits the lowest that carry the value; None: all, or unknown.
        parts: what the format's own module found and its `check` goes on with.
        tile_bytes: what decoding holds besides, where a tile is larger than the picture.
    """

    format: str
    width: int
    height: int
    pixel_bytes: int
    kind: str = ""
    bits: int = 8
    samples: int = 3
    white_is_zero: bool = False
    significant_bits: int | None = None
    parts: object = field(default=None, repr=False)
    tile_bytes: int = 0

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    def memory(self, file_bytes: int) -> int:
        """What decoding takes at its peak, in bytes, the file of `file_bytes` included."""
        return self.pixels * self.pixel_bytes + self.tile_bytes + file_bytes


def corrupt(detail: str) -> Unjudgeable:
    """The file is damaged or ends too early."""
    return Unjudgeable(Reason.CORRUPT, detail)


def too_large(detail: str) -> Unjudgeable:
    """The file asks for more work or memory than a picture may."""
    return Unjudgeable(Reason.TOO_LARGE, detail)


def not_read(
    kind: str, why: str = "", advice: str = "save as 8- or 16-bit grey, or 8-bit RGB"
) -> Unjudgeable:
    """A picture of a kind that is not decoded; the detail names it and says what to do."""
    return Unjudgeable(Reason.NOT_AN_IMAGE, f"{kind} is not read{why}; {advice}")


def check_metadata(what: str, parts: int, size: int) -> None:
    """Refuse a file with more beside its pixels than a picture needs.

    Raises:
        Unjudgeable: too_large.
    """
    if parts > METADATA_PARTS:
        raise too_large(f"more than {METADATA_PARTS} {what} beside the pixels")
    if size > METADATA_BYTES:
        raise too_large(f"over {METADATA_BYTES} bytes of {what} beside the pixels")


def long_zeros(coded: bytes, most: int) -> str | None:
    """What is odd about coded pixels with more than `most` zero bytes in a row; None: nothing.

    Where a format has no checksum, this is all that shows a hole that a disk or share left.
    """
    if bytes(most + 1) not in coded:
        return None
    return f"over {most} bytes within its coded pixels are zero: a part of the file may be lost"
