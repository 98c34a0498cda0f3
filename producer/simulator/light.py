"""Lights a scene: shading from its relief, soft shadows, highlights, vignette."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.simulator.conditions import Conditions
from producer.simulator.scene import Scene

Layer = NDArray[np.float32]

_ELEVATION = np.radians(58)  # of the main light above the table
_AMBIENT = 0.5  # share of the light that comes from everywhere
_LOBE = 0.11  # half width of a highlight, as a slope
_MIRROR = 2.6  # a highlight's strength on the glossiest matter
_BAND, _HALO = 64, 3  # rows done at once, and how far their filters reach beyond them
_COARSE = 4  # shadows are soft, so they are computed at a quarter of the picture's side
_DEEPEST = -18.0  # pixels of 1024; below this, edges get no steeper for being deeper
_STEEPEST = 1.3  # slopes beyond this are edges whose height the relief does not resolve


def illuminate(scene: Scene, conditions: Conditions, level: float) -> Layer:
    """The light that each pixel sends to the camera, float32 [size, size], about 1 on flat faces.

    `level` is the exposure, 1 where nominal. Neighbours hide light softly, so that part is
    computed coarsely for the whole picture; the fine part goes band by band, to stay in the cache.
    """
    size = scene.relief.shape[0]
    turn = np.radians(conditions.direction_deg)
    toward = np.array([np.cos(turn), np.sin(turn)])
    open_sky, lit = _coarse_light(scene.relief, toward, level)
    light = np.empty((size, size), np.float32)
    for top in range(0, size, _BAND):
        rows = slice(top, min(top + _BAND, size))
        uphill, across, mottle = _surface(scene, rows, toward, 1 + 1.5 * conditions.wear)
        flux = _reflected(uphill, across, scene.gloss[rows], 1 - 0.6 * conditions.wear)
        flux *= lit[rows]
        flux += open_sky[rows]
        np.multiply(flux, mottle, out=light[rows])
    return light


def _surface(
    scene: Scene, rows: slice, toward: NDArray[np.float64], roughness: float
) -> tuple[Layer, Layer, Layer]:
    """Of `rows`: steepness towards the light and across it, pixels per pixel, and brightness.

    Only what stands on the table has grain and mottle.
    """
    size = scene.relief.shape[0]
    start, stop = max(0, rows.start - _HALO), min(size, rows.stop + _HALO)
    own = slice(rows.start - start, rows.stop - start)
    relief = scene.relief[start:stop]
    raised = cv2.inRange(relief, scene.table + 1, np.inf)
    grain = np.asarray(cv2.copyTo(scene.grain[start:stop], raised), np.float32)
    steps = cv2.max(relief, _DEEPEST * size / 1024)
    edges = cv2.GaussianBlur(steps, (5, 5), 1.1) + grain * np.float32(roughness)
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32) / 8
    slopes = []
    for x, y in (toward, (-toward[1], toward[0])):
        slope = np.asarray(cv2.filter2D(edges, -1, x * sobel + y * sobel.T)[own], np.float32)
        slopes.append(np.clip(slope, -_STEEPEST, _STEEPEST, out=slope))
    mottle = 1 + cv2.copyTo(scene.mottle[rows], raised[own])
    return slopes[0], slopes[1], np.asarray(mottle, np.float32)


def _reflected(uphill: Layer, across: Layer, gloss: NDArray[np.uint8], polish: float) -> Layer:
    """How much of the main light a slope sends up to the lens.

    Lambert's law for matter, and for gloss a lobe around the half-way direction between light and
    lens (Blinn 1977) with a rational fall-off in slope space, which costs less than a power.
    """
    square = across * across
    direct = np.maximum(1 - uphill * np.float32(1 / np.tan(_ELEVATION)), 0)
    direct *= np.float32(1 - _AMBIENT)
    direct /= cv2.sqrt(1 + uphill * uphill + square)
    uphill += np.float32(np.cos(_ELEVATION) / (1 + np.sin(_ELEVATION)))
    lobe = (uphill * uphill + square) * np.float32(1 / _LOBE**2) + 1
    mirror = gloss * np.float32(polish * _MIRROR / 255)
    mirror /= lobe * lobe
    return np.asarray(direct + mirror, np.float32)


def _coarse_light(relief: Layer, toward: NDArray[np.float64], level: float) -> tuple[Layer, Layer]:
    """Ambient and direct light as far as neighbours hide it, each float32 [size, size]."""
    size = relief.shape[0]
    coarse = (size // _COARSE, size // _COARSE)
    unit = size / 1024
    low = np.asarray(cv2.resize(relief, coarse, interpolation=cv2.INTER_AREA), np.float32)
    wide = 2 * round(9 * unit) + 1
    far = cv2.blur(cv2.blur(low, (wide, wide)), (wide, wide)) - low
    near = cv2.GaussianBlur(low, (0, 0), 2.2 * unit) - low
    hidden = 0.5 * np.clip(far / (55 * unit), 0, 1) + 0.4 * np.clip(near / (26 * unit), 0, 1)
    falloff = level * _gradient(coarse[0], toward)
    sky = _AMBIENT * (1 - np.minimum(hidden, 0.85)) * falloff
    lit = (1 - _shadow(low, toward, unit)) * (1 - 0.5 * hidden) * falloff
    return _enlarged(sky, size), _enlarged(lit, size)


def _enlarged(coarse: Layer, size: int) -> Layer:
    """Back to full size, float32 [size, size]; the blur hides the coarse pixels' stairs."""
    smooth = cv2.GaussianBlur(np.asarray(coarse, np.float32), (5, 5), 0.9)
    return np.asarray(cv2.resize(smooth, (size, size)), np.float32)


def _shadow(low: Layer, toward: NDArray[np.float64], unit: float) -> Layer:
    """How much of the main light is blocked, by marching from each pixel towards it."""
    blocked = np.zeros_like(low)
    climb = np.tan(_ELEVATION) * _COARSE
    for step in (1, 2, 3, 5, 8, 12, 17):
        away = step * unit
        shift = np.array([[1, 0, away * toward[0]], [0, 1, away * toward[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        there = cv2.warpAffine(
            low, shift, low.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        np.maximum(blocked, there - low - np.float32(climb * away), out=blocked)
    soft = cv2.GaussianBlur(np.minimum(blocked / (24 * unit), 1), (0, 0), 1.4 * unit + 0.3)
    return np.asarray(0.85 * soft, np.float32)


def _gradient(side: int, toward: NDArray[np.float64]) -> Layer:
    """Brighter towards the lamp, darker into the corners."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = axis[None], axis[:, None]
    tilt = 0.07 * (np.float32(toward[0]) * x + np.float32(toward[1]) * y)
    return np.asarray((1 + tilt) * (1 - 0.09 * (x * x + y * y)), np.float32)
