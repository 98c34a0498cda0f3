"""A drawn picture and the facts that captions may mention; and what every camera does to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 224
CELLS = 56  # the side of the map that says where a part is harmed
DRAWN = 320  # pixels: parts are drawn larger, so that edges are smooth
Image = NDArray[np.float32]  # [DRAWN, DRAWN, 3] in 0..1
Camera = Callable[[np.random.Generator, Image], NDArray[np.uint8]]

COLOURS: Mapping[str, tuple[float, float, float]] = {
    "black": (0.1, 0.1, 0.11),
    "white": (0.88, 0.87, 0.85),
    "grey": (0.5, 0.5, 0.52),
    "red": (0.68, 0.16, 0.15),
    "orange": (0.84, 0.45, 0.14),
    "yellow": (0.82, 0.7, 0.2),
    "green": (0.3, 0.55, 0.25),
    "blue": (0.18, 0.36, 0.64),
    "violet": (0.44, 0.3, 0.56),
    "brown": (0.46, 0.33, 0.24),
}
METALS: Mapping[str, tuple[float, float, float]] = {
    "steel": (0.56, 0.57, 0.59),
    "aluminium": (0.74, 0.75, 0.76),
    "brass": (0.74, 0.62, 0.34),
    "copper": (0.74, 0.47, 0.34),
    "cast iron": (0.3, 0.3, 0.31),
    "glass": (0.28, 0.22, 0.13),
}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture, where it is harmed, and what is true of it: `family`, `defect`, `colour`, …"""

    pixels: NDArray[np.uint8]  # [224, 224, 3] RGB; of a camera that is `unseen`, [DRAWN, DRAWN, 3]
    harmed: NDArray[np.bool_]  # [56, 56], the cells that a flawless twin shows differently
    facts: Mapping[str, str]


def differing(one: NDArray[Any], other: NDArray[Any], least: float) -> NDArray[np.bool_]:
    """The cells, bool [56, 56], where two pictures of one part differ by `least` or more."""
    apart = np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32))
    apart = apart.max(axis=2) if apart.ndim == 3 else apart
    return np.asarray(cv2.resize(apart, (CELLS, CELLS), interpolation=cv2.INTER_AREA) >= least)


def tint(
    rng: np.random.Generator, colour: tuple[float, float, float], spread: float = 0.05
) -> NDArray[np.float32]:
    """A colour near `colour`, float32 [3]."""
    return np.clip(np.asarray(colour) + rng.normal(0, spread, 3), 0.02, 0.98).astype(np.float32)


def noise(rng: np.random.Generator, sigma: float, *, along: float = 1.0) -> NDArray[np.float32]:
    """Noise of deviation 1, [DRAWN, DRAWN]; its blobs are `along` times longer in x."""
    step = max(1, int(sigma / 2))
    across = max(1, int(sigma * along / 2))
    white = rng.standard_normal((DRAWN // step + 4, DRAWN // across + 4), np.float32)
    white = cv2.GaussianBlur(
        white, (0, 0), max(0.3, sigma * along / across), sigmaY=max(0.3, sigma / step)
    )
    full = cv2.resize(white, (DRAWN, DRAWN), interpolation=cv2.INTER_CUBIC)
    return np.asarray(full / (full.std() + 1e-6), np.float32)


def mask() -> NDArray[np.uint8]:
    """An empty mask, uint8 [DRAWN, DRAWN]."""
    return np.zeros((DRAWN, DRAWN), np.uint8)


def blob(rng: np.random.Generator, centre: NDArray[np.float64], reach: float) -> NDArray[np.int32]:
    """The outline of an uneven patch, int32 [24, 2]."""
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    waves = np.sin(np.outer([1, 2, 3, 5], around) + rng.uniform(0, 6.3, (4, 1)))
    radii = reach * np.clip(1 + rng.normal(0, 0.16, 4) @ waves, 0.3, 2)
    oval = np.stack([radii * np.cos(around), rng.uniform(0.5, 1) * radii * np.sin(around)], 1)
    turn = rng.uniform(0, np.pi)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.rint(centre + oval @ spin).astype(np.int32)


def wander(
    rng: np.random.Generator,
    start: NDArray[np.float64],
    heading: float,
    length: float,
    shake: float,
) -> NDArray[np.int32]:
    """A line that keeps changing its heading, int32 [20, 2]."""
    turns = heading + np.cumsum(rng.normal(0, shake, 20))
    steps = np.stack([np.cos(turns), np.sin(turns)], 1) * length / 20
    return np.rint(start + np.cumsum(steps, 0)).astype(np.int32)


def paint(
    image: Image, where: NDArray[np.uint8], colour: NDArray[np.float32], opacity: float = 1.0
) -> None:
    """Lay `colour` over `image` where the mask is set, in place."""
    share = (where.astype(np.float32) * (opacity / 255))[..., None]
    image += share * (colour - image)


def photograph(rng: np.random.Generator, image: Image) -> NDArray[np.uint8]:
    """Light, white balance, lens, sensor and file format: uint8 [224, 224, 3]."""
    axis = np.linspace(-1, 1, DRAWN, dtype=np.float32)
    x, y = axis[None], axis[:, None]
    tilt, turn = rng.uniform(0, 0.22), rng.uniform(0, 2 * np.pi)
    light = (
        1 + tilt * (np.cos(turn) * x + np.sin(turn) * y) - rng.uniform(0, 0.15) * (x * x + y * y)
    )
    gain = rng.uniform(0.7, 1.25) * (1 + rng.normal(0, 0.03, 3))
    lit = np.clip(image * (light[..., None] * gain).astype(np.float32), 0, 1)
    small = cv2.resize(lit, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    small = small ** np.float32(rng.uniform(0.8, 1.25))
    if rng.random() < 0.3:  # a small picture, enlarged
        side = int(rng.uniform(96, SIZE))
        low = cv2.resize(small, (side, side), interpolation=cv2.INTER_AREA)
        small = cv2.resize(low, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.1))
    small = small + rng.normal(0, rng.uniform(0.002, 0.03), small.shape)
    pixels = np.clip(small * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(40, 95))]
        pixels = np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], 1), np.uint8)
    return pixels


def unseen(_: np.random.Generator, image: Image) -> NDArray[np.uint8]:
    """No camera at all, for those who light and photograph later: uint8 [DRAWN, DRAWN, 3]."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def place_name(centre: NDArray[np.float64]) -> str:
    """Where on the picture a point lies, in words."""
    x, y = (centre / DRAWN - 0.5).tolist()
    if max(abs(x), abs(y)) < 0.15:
        return "centre"
    if abs(x) > abs(y):
        return "left" if x < 0 else "right"
    return "top" if y < 0 else "bottom"


def severity_name(share: float) -> str:
    """How bad a defect is, from its strength in 0..1."""
    return "slight" if share < 0.4 else "severe" if share > 0.7 else "clear"
