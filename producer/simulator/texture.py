"""Surface textures: drawn once, then cropped at a random place."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.float32]
NOISE_DEVIATION = 16.0
_VARIANTS = 6
_SPARE = 8  # a tile is 1/8 larger than a picture, so that crops differ


def face_texture(rng: np.random.Generator, size: int) -> Texture:
    """Relief of a sawn face, float32 [size, size] in pixels: blade lines, grain and pits."""
    return _crop(_sawn(size, int(rng.integers(_VARIANTS))), rng, size)


def mottle(rng: np.random.Generator, size: int) -> Texture:
    """Uneven brightness, float32 [size, size] around 0."""
    return _crop(_clouds(size), rng, size)


def sensor_noise(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Noise of standard deviation `NOISE_DEVIATION` around 128, uint8 [size, size, 3]."""
    tile = _noise(size)
    x, y = rng.integers(0, size // _SPARE, 2)
    return tile[y : y + size, x : x + size]


def _crop(tile: Texture, rng: np.random.Generator, size: int) -> Texture:
    x, y = rng.integers(0, size // _SPARE, 2)
    return tile[y : y + size, x : x + size]


def _smooth_noise(rng: np.random.Generator, side: int, sigma: float) -> Texture:
    """Noise of standard deviation 1, blurred to blobs of about `sigma` pixels."""
    step = max(1, int(sigma / 2))
    white = rng.standard_normal((side // step + 8, side // step + 8), np.float32)
    coarse = cv2.GaussianBlur(white, (0, 0), max(0.3, sigma / step))
    fine = cv2.resize(coarse, (side + 8 * step, side + 8 * step), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine[:side, :side] / fine.std(), np.float32)


@lru_cache(maxsize=8)
def _sawn(size: int, variant: int) -> Texture:
    rng = np.random.default_rng([size, variant])
    side, unit = size + size // _SPARE, size / 1024
    broad = cv2.GaussianBlur(rng.standard_normal((1, side), np.float32), (0, 0), 2.2 * unit)
    lines = 1.6 * broad + 0.5 * rng.standard_normal((1, side), np.float32)
    strength = 1 + 0.6 * _smooth_noise(rng, side, 70 * unit)
    bands = np.broadcast_to(lines, (side, side)) * strength
    slant = np.tan(np.radians(-50 + 35 * (variant // 2)))
    shear = np.array([[1, slant, -slant * side / 2], [0, 1, 0]], np.float32)
    slanted = cv2.warpAffine(bands, shear, (side, side), borderMode=cv2.BORDER_WRAP)
    marks = slanted.T if variant % 2 else slanted
    grain = _smooth_noise(rng, side, 1.2 * unit) + 1.6 * _smooth_noise(rng, side, 5 * unit)
    pits = np.minimum(_smooth_noise(rng, side, 2.5 * unit) + 2.6, 0) * 2.0
    return np.asarray((0.22 * marks + 0.16 * grain + pits) * unit, np.float32)


@lru_cache(maxsize=4)
def _clouds(size: int) -> Texture:
    rng = np.random.default_rng([size, 11])
    side, unit = size + size // _SPARE, size / 1024
    fine = 0.02 * _smooth_noise(rng, side, 1.0 * unit) + 0.022 * _smooth_noise(rng, side, 7 * unit)
    return np.asarray(fine + 0.03 * _smooth_noise(rng, side, 60 * unit), np.float32)


@lru_cache(maxsize=4)
def _noise(size: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([size, 13])
    side = size + size // _SPARE
    white = rng.standard_normal((side, side, 3), np.float32)
    noise = cv2.GaussianBlur(white, (3, 3), 0.55)  # as a demosaicked sensor's: neighbours agree
    scaled = noise * (NOISE_DEVIATION / noise.std()) + 128
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)
