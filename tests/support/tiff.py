"""TIFFs as cameras and frame grabbers write them, which Pillow does not write."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Tag = tuple[int, int, Sequence[int]]  # number, type (3: 16 bits, 4: 32 bits), values


def tiff(
    pixels: bytes,
    *,
    width: int,
    height: int,
    bits: int,
    photometric: int = 1,
    samples: int = 1,
    compression: int = 1,
    more: Sequence[Tag] = (),
    order: str = "<",
    counts: Sequence[int] | None = None,
    offsets: Sequence[int] | None = None,
    rows: int | None = None,
    big: bool = False,
) -> bytes:
    """A TIFF of one page and one strip; `counts`, `offsets`, `rows` (a strip) say otherwise.

    `big`: a BigTIFF.
    """
    tags: list[Tag] = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * samples),
        (259, 3, [compression]),
        (262, 3, [photometric]),
        (273, 4, offsets or [0]),
        (277, 3, [samples]),
        (278, 4, [rows or height]),
        (279, 4, counts or [len(pixels)]),
        *more,
    ]
    tags.sort()
    # Header, how many tags, a tag; a count or place has four bytes or eight.
    head, number, entry, wide = (16, "Q", 20, 8) if big else (8, "H", 12, 4)
    place = "Q" if big else "I"
    values = head + struct.calcsize(f"{order}{number}") + entry * len(tags) + wide
    blob, raws = b"", []
    for _, kind, numbers in tags:
        raw = struct.pack(f"{order}{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(raw) > wide:
            at = struct.pack(f"{order}{place}", values + len(blob))
            blob += raw + b"\0" * (len(raw) % 2)
            raw = at
        raws.append(raw.ljust(wide, b"\0"))
    pixels_at = struct.pack(f"{order}I", values + len(blob)).ljust(wide, b"\0")
    out = {"<": b"II", ">": b"MM"}[order]
    out += struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if big else struct.pack(f"{order}HI", 42, 8)
    out += struct.pack(f"{order}{number}", len(tags))
    for (tag, kind, numbers), raw in zip(tags, raws, strict=True):
        held = pixels_at if tag == 273 and offsets is None else raw
        out += struct.pack(f"{order}HH{place}", tag, kind, len(numbers)) + held
    return out + bytes(wide) + blob + pixels


def packed(values: npt.NDArray[np.unsignedinteger], bits: int) -> bytes:
    """Samples of `bits` bits without gaps, each row from a byte on: [height, width]."""
    places = np.arange(bits - 1, -1, -1)
    single = (values.astype(np.uint32)[:, :, None] >> places & 1).astype(np.uint8)
    return np.packbits(single.reshape(len(values), -1), axis=1).tobytes()
