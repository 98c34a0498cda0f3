"""Rows that were lost, in pixels without coding and without checksum (BMP, TIFF).

A disk or share that loses a piece of a file leaves zeros from some byte on, in the middle of a row.
A black area does not end so: to the left and to the right of that byte the row above it and the row
itself would have to be bright to the last pixel, and everything below be zero, exactly. So such a
step is looked for, and a piece that was lost from the first byte of a row on is not found.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LEAST = 512  # bytes: a disk's smallest block
_MARGIN = 6  # bytes: so near to a row's end the picture's own last pixels may be black
_LIT = 0.8  # of the pixels: a dark picture fades into black anywhere
_ALIKE = 0.25  # of the brighter row's mean: a blurred edge fades within some rows
_BRIGHT = 8  # of 255, the darker row's mean: a gradient ends in ones and twos
_MOST_RUNS = 1000  # a picture of black stripes has so many, and none of them is damage


def lost_rows(data: bytes, start: int, end: int, row_bytes: int, pixel_bytes: int) -> str | None:
    """What is odd about rows of pixels from `start` to `end`; None: nothing.

    Args:
        data: the file.
        row_bytes: of a row, padding included.
        pixel_bytes: of a pixel; one with a byte that is not zero is lit.
    """
    least = max(_LEAST, row_bytes + 1)
    needle = bytes(least)
    view = np.frombuffer(data, np.uint8)
    at = start
    for _ in range(_MOST_RUNS):
        found = data.find(needle, at, end)
        if found < 0:
            return None
        at = _end_of_run(view, found + least, end)
        before, behind = view[start:found][-row_bytes:], view[at:end][:row_bytes]
        if _is_step(before, len(before) - (found - start) % row_bytes, pixel_bytes) or (
            at < end and _is_step(behind, -(at - start) % row_bytes, pixel_bytes)
        ):
            return (
                f"{at - found} bytes of its pixels are zero from byte {found} on, from within one "
                "row to within another: a part of the file may be lost"
            )
    return None


def _is_step(row: npt.NDArray[np.uint8], split: int, pixel_bytes: int) -> bool:
    """Whether a row's length of bytes, which belongs to two rows, is lit in both of them alike."""
    pieces = row[:split], row[split:]
    if not all(_is_lit(piece, pixel_bytes) for piece in pieces):
        return False
    darker, brighter = sorted(float(piece.mean()) for piece in pieces)
    return darker >= max(_BRIGHT, _ALIKE * brighter)


def _is_lit(piece: npt.NDArray[np.uint8], pixel_bytes: int) -> bool:
    if len(piece) < max(_MARGIN, pixel_bytes):
        return False
    pixels = piece[: len(piece) // pixel_bytes * pixel_bytes].reshape(-1, pixel_bytes)
    return bool(pixels.any(axis=1).mean() >= _LIT)


def _end_of_run(view: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """The first byte from `at` on that is not zero."""
    step = 1 << 12
    while at < end:
        lit = np.flatnonzero(view[at : min(at + step, end)])
        if len(lit):
            return at + int(lit[0])
        at += step
        step = min(2 * step, 1 << 20)
    return end
