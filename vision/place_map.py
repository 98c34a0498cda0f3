"""Where in a picture the places of its squares lie, so that a map can be laid over it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.framing import Framing, box, long_side, tile_starts

Places = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PlaceMap:
    """A value for each place, and what they cover.

    Attributes:
        places: float32 [height, width], row by row.
        box: x0, y0, x1, y1 in fractions of the picture's sides. Places on the rim of a padded
            picture may reach beyond it.
    """

    places: Places
    box: tuple[float, float, float, float]


def placed(squares: Places, framing: Framing, width: int, height: int, size: int) -> PlaceMap:
    """The values of a picture's squares as one map of what was looked at.

    Where tiles overlap, the larger value counts.

    Args:
        squares: float32 [w, g, g], in the order of `vision.preprocess`.
        framing: how the picture became squares.
        width, height: of the picture, in pixels.
        size: the side of a square, in pixels.
    """
    inside = box(framing.roi, width, height)
    left, top, right, bottom = map(float, inside)
    across, down = inside[2] - inside[0], inside[3] - inside[1]
    values = squares[0]
    if framing.fit == "crop":
        side = min(across, down)
        left, top = left + (across - side) / 2, top + (down - side) / 2
        right, bottom = left + side, top + side
    elif framing.fit == "pad":
        longer, grid = max(across, down), len(values)
        columns, left, right = _unpadded(left, across, longer, size, grid)
        rows, top, bottom = _unpadded(top, down, longer, size, grid)
        values = values[rows, columns]
    elif len(squares) > 1:
        values = _joined(squares, across, down, size)
    return PlaceMap(values, (left / width, top / height, right / width, bottom / height))


def _unpadded(
    begin: float, pixels: int, longer: int, size: int, grid: int
) -> tuple[slice, float, float]:
    """Along one side: the places that show anything of the picture, and what they cover.

    Args:
        begin: where the region of interest begins, in pixels of the picture.
        pixels: how long it is.
        longer: how long its longer side is.
        size: the side of the square, in pixels of its own.
        grid: the places along it.
    """
    cell, shown = size / grid, max(1, round(size * pixels / longer))
    margin = (size - shown) // 2
    first, end = int(margin // cell), math.ceil((margin + shown) / cell)
    scale = pixels / shown
    rim = [begin + (place * cell - margin) * scale for place in (first, end)]
    return slice(first, end), rim[0], rim[1]


def _joined(squares: Places, across: int, down: int, size: int) -> Places:
    """Tiles from the left or from the top, put together."""
    grid = squares.shape[1]
    length = long_side(max(across, down), min(across, down), size)
    begins = [round(start * grid / size) for start in tile_starts(length, size)]
    whole = np.full((begins[-1] + grid, grid), -np.inf, np.float32)
    for begin, square in zip(begins, squares, strict=True):
        part = whole[begin : begin + grid]
        np.maximum(part, square if down > across else square.T, out=part)
    return whole if down > across else np.ascontiguousarray(whole.T)
