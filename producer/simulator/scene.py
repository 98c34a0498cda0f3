"""What is there before light falls on it: colour, relief and gloss of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.simulator.design import RGB
from producer.simulator.outline import Points
from producer.simulator.strands import Sprites
from producer.simulator.texture import Texture

COPPER_GLOSS = 190  # of 255
_SHIFT = 4  # cv2 draws at 1/16 pixel


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Layers of one picture. Drawing changes them in place; the last stroke lies on top."""

    albedo: NDArray[np.uint8]  # [size, size, 3] RGB
    relief: NDArray[np.float32]  # [size, size] height above the sheath's face, pixels
    gloss: NDArray[np.uint8]  # [size, size] strength of the mirror-like reflection
    table: float  # the table's height in pixels; what stands on it has the two textures
    grain: Texture  # [size, size] fine relief that the saw left, pixels
    mottle: Texture  # [size, size] uneven brightness, around 0

    @classmethod
    def empty(cls, colour: RGB, table: float, grain: Texture, mottle: Texture) -> Scene:
        """A bare table of `colour`."""
        size = grain.shape[0]
        albedo = np.empty((size, size, 3), np.uint8)
        cv2.rectangle(albedo, (0, 0), (size, size), colour, cv2.FILLED)  # 10 times np.full's speed
        relief = np.full((size, size), table, np.float32)
        return cls(albedo, relief, np.zeros((size, size), np.uint8), table, grain, mottle)

    def fill(
        self, points: Points, colour: RGB | None, height: float | None = None, gloss: int = -1
    ) -> None:
        """Fill a polygon. A layer whose value is None (gloss: below 0) stays as it is."""
        corners = [_fixed(points)]
        if colour is not None:
            cv2.fillPoly(self.albedo, corners, colour, cv2.LINE_AA, _SHIFT)
        if height is not None:
            cv2.fillPoly(self.relief, corners, (height,), cv2.LINE_8, _SHIFT)
        if gloss >= 0:
            cv2.fillPoly(self.gloss, corners, (gloss,), cv2.LINE_8, _SHIFT)

    def stroke(
        self,
        points: Points,
        width: float,
        colour: RGB | None,
        height: float | None = None,
        gloss: int = -1,
        closed: bool = False,
    ) -> None:
        """Draw a line `width` pixels wide; None and negative values as in `fill`."""
        corners, thick = [_fixed(points)], max(1, round(width))
        if colour is not None:
            cv2.polylines(self.albedo, corners, closed, colour, thick, cv2.LINE_AA, _SHIFT)
        if height is not None:
            cv2.polylines(self.relief, corners, closed, (height,), thick, cv2.LINE_8, _SHIFT)
        if gloss >= 0:
            cv2.polylines(self.gloss, corners, closed, (gloss,), thick, cv2.LINE_8, _SHIFT)

    def stamp(
        self,
        sprites: Sprites,
        looks: Sequence[int],
        centres: Points,
        heights: Sequence[float],
    ) -> None:
        """Stamp strand faces at `centres` [n, 2]; one that would cross the border is left out."""
        side, size = sprites.side, self.relief.shape[0]
        corners = np.rint(centres).astype(int) - side // 2
        for look, (x, y), height in zip(looks, corners.tolist(), heights, strict=True):
            if not (0 <= x <= size - side and 0 <= y <= size - side):
                continue
            at, look = np.s_[y : y + side, x : x + side], look % len(sprites.mask)
            mask = sprites.mask[look]
            cv2.copyTo(sprites.albedo[look], mask, self.albedo[at])
            cv2.copyTo(sprites.relief[look] + np.float32(height), mask, self.relief[at])


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.rint(points * (1 << _SHIFT)).astype(np.int32)
