"""Copper strands: how many fit round a bundle's axis, and what their cut faces look like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.simulator.design import RGB

SPRITES = 64  # different strand faces
_DENSITY = 0.83  # the share of a round bundle that equal, slightly squeezed strands fill


@dataclass(frozen=True, slots=True)
class Sprites:
    """Strand faces to stamp, each a square of side `side`; the arrays' first axis counts them."""

    side: int
    albedo: NDArray[np.uint8]  # [SPRITES, side, side, 3]
    relief: NDArray[np.float32]  # [SPRITES, side, side], pixels
    mask: NDArray[np.uint8]  # [SPRITES, side, side], 0 or 255


@lru_cache(maxsize=256)
def packing(count: int, variant: int) -> tuple[NDArray[np.float64], float]:
    """Lay `count` equal discs into the unit disc: centres [count, 2] and the discs' radius.

    They start on a sunflower spiral and push each other apart until they barely touch.
    """
    rng = np.random.default_rng([count, variant])
    radius = float(np.sqrt(_DENSITY / count)) if count > 7 else 1 / 3.05
    k = np.arange(count)
    spiral = np.sqrt(k / (count - 1)) * (1 - radius)
    turn = k * np.pi * (3 - np.sqrt(5))
    discs = np.stack([spiral * np.cos(turn), spiral * np.sin(turn)], axis=1)
    discs += rng.normal(0, 0.3 * radius, discs.shape)
    for reach in np.linspace(2.7, 2.0, 160) * radius:  # first even, then tight
        between = discs[:, None] - discs[None]
        distance = np.linalg.norm(between, axis=2) + np.eye(count) * 9
        overlap = np.maximum(0, reach - distance)
        discs += 0.25 * ((overlap / np.maximum(distance, 1e-6))[..., None] * between).sum(axis=1)
        away = np.maximum(np.linalg.norm(discs, axis=1, keepdims=True), 1e-6)
        discs *= np.minimum(1, (1 - radius) / away)
    return discs, radius


def strand_sprites(radius: float, copper: RGB) -> Sprites:
    """The faces of sheared strands of `radius` pixels, to the nearest quarter of a pixel."""
    return _draw_sprites(max(1.0, round(4 * radius) / 4), copper)


@lru_cache(maxsize=32)
def _draw_sprites(radius: float, copper: RGB) -> Sprites:
    """Draw every sprite.

    A face is nearly flat, tilted its own way, with a rounded edge, shear lines, a burr on the side
    the blade left, and its own tint. Light is added later, from the relief.
    """
    rng = np.random.default_rng(7)
    side = 2 * int(np.ceil(1.05 * radius)) + 3
    axis = (np.arange(side) - side // 2) / (1.05 * radius)
    x, y = (a[None].astype(np.float32) for a in np.meshgrid(axis, axis))
    turn = rng.uniform(0, 2 * np.pi, (SPRITES, 1, 1))
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    dent = 1 + 0.03 * np.sin(3 * np.arctan2(across, along) + rng.uniform(0, 6, turn.shape))
    out = np.hypot(along, across / rng.uniform(0.9, 1.0, turn.shape)) * dent
    tilt = rng.normal(0, 0.16, (2, SPRITES, 1, 1))
    relief = 0.34 * np.sqrt(np.clip(1 - out**7, 0, 1)) + tilt[0] * x + tilt[1] * y
    pitch = rng.uniform(14, 26, turn.shape)
    relief += rng.uniform(0.0, 0.011, turn.shape) * np.sin(pitch * along + 1.5 * np.sin(2 * across))
    relief += 0.07 * np.exp(-(((out - 0.86) / 0.1) ** 2)) * (along > 0.3)
    return Sprites(
        side=side,
        albedo=_tint(out, rng, copper),
        relief=(relief * radius).astype(np.float32),
        mask=np.where(out <= 1, np.uint8(255), np.uint8(0)),
    )


def _tint(out: NDArray[np.float32], rng: np.random.Generator, copper: RGB) -> NDArray[np.uint8]:
    blotches = rng.normal(0, 1, (SPRITES, *out.shape[1:])).astype(np.float32)
    blotches = np.stack([cv2.GaussianBlur(b, (0, 0), 0.12 * out.shape[1]) for b in blotches])
    bright = rng.normal(0.92, 0.13, (SPRITES, 1, 1)) + 0.5 * blotches
    shade = bright * (1 - 0.45 * np.clip(out, 0, 1) ** 6)
    hue = 1 + rng.normal(0, 0.025, (SPRITES, 1, 1, 3)) * [0.5, 1.0, 1.4]
    tinted = np.asarray(copper) * shade[..., None] * hue
    return np.asarray(np.clip(tinted, 0, 255), np.uint8)
