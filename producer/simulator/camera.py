"""The camera: turns light into pixels, with its tone curve, white balance, blur and noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.simulator.conditions import Conditions
from producer.simulator.light import Layer
from producer.simulator.scene import Scene
from producer.simulator.texture import NOISE_DEVIATION, sensor_noise

_NEUTRAL_K = 5600.0
_LENS_BLUR_PX = 0.35  # of a picture 1024 px wide, when in focus
_BAND = 64  # rows


def expose(
    scene: Scene, light: Layer, conditions: Conditions, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Photograph a lit scene: uint8 [size, size, 3] RGB."""
    size = light.shape[0]
    pixels = np.empty_like(scene.albedo)
    red, blue = _white_balance(conditions.colour_temperature_k)
    for top in range(0, size, _BAND):  # band by band, to stay in the cache
        rows = slice(top, min(top + _BAND, size))
        gains = cv2.merge((light[rows] * red, light[rows], light[rows] * blue))
        linear = cv2.multiply(scene.albedo[rows], gains, dtype=cv2.CV_8U)
        cv2.LUT(linear, _TONE_CURVE, pixels[rows])
    sigma = float(np.hypot(conditions.defocus_px, _LENS_BLUR_PX)) * size / 1024
    width = 2 * int(np.ceil(2 * sigma)) + 1
    pixels = np.asarray(cv2.GaussianBlur(pixels, (width, width), sigma), np.uint8)
    amount = conditions.noise / NOISE_DEVIATION
    noise = sensor_noise(rng, size)
    return np.asarray(cv2.addWeighted(pixels, 1, noise, amount, -128 * amount, pixels), np.uint8)


def _white_balance(kelvin: float) -> tuple[np.float32, np.float32]:
    """Gains for red and blue, where green has 1, under light of `kelvin`.

    Red over blue is taken as inverse to the temperature's ratio to neutral, which stays near
    Planck's curve between 3000 and 8000 K, and then through the display's gamma of 2.2.
    """
    warm = (_NEUTRAL_K / kelvin) ** (1 / 2.2)
    return np.float32(warm**0.35), np.float32(warm**-0.65)


def _tone_curve() -> NDArray[np.uint8]:
    """Linear, with a soft shoulder and a slight S, uint8 [256]."""
    x = np.linspace(0, 1, 256)
    shoulder = np.where(x < 0.75, x, 0.75 + 0.25 * np.tanh((x - 0.75) / 0.25))
    curve = shoulder + 0.1 * shoulder * (1 - shoulder) * (2 * shoulder - 1)
    return np.asarray(np.clip(curve * 255 + 2, 0, 255), np.uint8)


_TONE_CURVE = _tone_curve()
