"""What a picture's pixels say of lamp and lens: one number each. Pure.

Light is the mean luma (ITU-R BT.601), in stops. Focus is how strongly the Laplacian of the luma
varies: the "variance of Laplacian" of Pech-Pacheco and others, "Diatom autofocusing in brightfield
microscopy: a comparative study", ICPR 2000, called LAP4 by Pertuz, Puig and Garcia, "Analysis of
focus measure operators for shape-from-focus", Pattern Recognition 2013. It is taken as a share of
the mean luma, for a dimmer lamp makes every edge fainter by the same share and blurs none.
"""

from __future__ import annotations

from functools import lru_cache
from math import log2, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_LUMA = (np.float32(0.299), np.float32(0.587), np.float32(0.114))
_EVERY = 8  # rows, of which three are looked at: a picture differs little in between
_FAINTEST = 0.01  # of the mean luma: edges below that are noise, and a flat picture has none


class Optics(NamedTuple):
    """Both in stops, that is, base-2 logarithms, and finite also for what is black or flat."""

    light: float
    focus: float


def optics_of(pixels: npt.NDArray[np.uint8]) -> Optics:
    """Measure a picture as the encoders see it; what they do not resolve is not seen here either.

    Args:
        pixels: uint8 [3, height, width], or [n, 3, height, width] of several squares.
    """
    luma = _bands(pixels)
    mean = float(luma.mean()) + 1  # a grey level: black has a logarithm too
    return Optics(log2(mean), log2(_edges(luma) / mean + _FAINTEST))


def _bands(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The luma of three rows in eight, float32 [..., bands, 3, width]."""
    *before, height, width = pixels.shape
    rows = _rows(height)
    red, green, blue = (pixels[..., channel, rows, :] * _LUMA[channel] for channel in range(3))
    red += green
    red += blue
    return red.reshape(*before[:-1], -1, min(3, height), width)


@lru_cache(maxsize=8)
def _rows(height: int) -> npt.NDArray[np.intp]:
    """Three neighbours in every eight rows, not always the same three.

    Else stripes of a period of eight, four or two rows would all be cut alike.
    """
    starts = [_EVERY * band + 5 * band % 6 for band in range(height // _EVERY)] or [0]
    return np.array([start + row for start in starts for row in range(min(3, height))])


def _edges(luma: npt.NDArray[np.float32]) -> float:
    """The standard deviation of the Laplacian in the middle row of each band, in grey levels."""
    if luma.shape[-2] < 3 or luma.shape[-1] < 3:
        return 0.0
    above, middle, below = luma[..., 0, 1:-1], luma[..., 1, :], luma[..., 2, 1:-1]
    edges = middle[..., 1:-1] * np.float32(4)
    for beside in (above, below, middle[..., :-2], middle[..., 2:]):
        edges -= beside
    flat = edges.ravel()
    mean = float(flat.mean())
    return sqrt(max(0.0, float(np.vdot(flat, flat)) / flat.size - mean * mean))
