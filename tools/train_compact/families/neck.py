"""Glass necks seen from above: bright, broken glints on dark glass around a deep bore.

They count as rings, with the rings' defects. What glass adds is that light is everywhere: a chip
shows as shards of many shades, and dirt lies in the dark of the bore.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train_compact.families.picture import (
    DRAWN,
    Image,
    blob,
    mask,
    noise,
    paint,
    tint,
    wander,
)

_GLASS = ((0.13, 0.13, 0.16), (0.2, 0.13, 0.08), (0.1, 0.17, 0.12), (0.3, 0.3, 0.32))
_GLINTS = ((0.75, 0.42, 0.25), (0.9, 0.87, 0.8), (0.6, 0.55, 0.5))


class Neck:
    """One neck's shape and glass; `image` is it, flawless."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._glass = tint(rng, _GLASS[rng.integers(len(_GLASS))], 0.03)
        self._glint = tint(rng, _GLINTS[rng.integers(len(_GLINTS))], 0.04)
        self._centre = DRAWN / 2 + rng.normal(0, 3, 2)
        self._outer = DRAWN * float(rng.uniform(0.38, 0.47))
        self._mouth = self._outer * float(rng.uniform(0.68, 0.84))
        self._bore = self._outer * float(rng.uniform(0.42, 0.58))
        self.image = self._flawless()

    def _flawless(self) -> Image:
        rng = self._rng
        table = np.float32(rng.choice([1.0, 0.95, 0.8, 0.5], p=[0.5, 0.2, 0.2, 0.1]))
        image = np.full((DRAWN, DRAWN, 3), table, np.float32)
        y, x = np.mgrid[:DRAWN, :DRAWN].astype(np.float32)
        out = np.hypot(x - self._centre[0], y - self._centre[1]).astype(np.float32)
        angle = np.arctan2(y - self._centre[1], x - self._centre[0])
        bands = 1 + 0.35 * np.sin(out * rng.uniform(0.25, 0.6) + rng.uniform(0, 6))
        body = (
            self._glass * np.asarray(bands * (0.7 + 0.5 * out / self._outer), np.float32)[..., None]
        )
        soft = float(rng.uniform(1, 5))
        paint(image, _disc(out, self._outer, soft), np.asarray(body, np.float32))
        wall = self._glass * (1 + rng.uniform(0.02, 0.25) * noise(rng, 3)[..., None])
        paint(
            image, _disc(out, self._mouth, 1), np.asarray(wall, np.float32), rng.uniform(0.4, 0.9)
        )
        around = 0.5 + 0.5 * np.sin(angle * rng.integers(1, 4) + rng.uniform(0, 6))
        broken = np.clip(around + 0.5 * noise(rng, 4), 0, 1)
        for radius, strength in (
            (self._mouth, 1.0),
            (self._mouth * rng.uniform(0.9, 0.97), rng.uniform(0.1, 0.6)),
            (self._bore * 1.02, rng.uniform(0.2, 0.7)),
        ):
            line = np.exp(-(((out - radius) / rng.uniform(0.8, 2)) ** 2)) * broken
            paint(image, np.asarray(255 * line, np.uint8), self._glint, strength)
        deep = np.float32(0.4) * self._glass * (1.3 - out / self._outer)[..., None]
        paint(image, _disc(out, self._bore, 1), np.asarray(deep, np.float32))
        return image

    def harm(self, image: Image, defect: str, strength: float) -> None:
        """Show `defect` on `image`, in place."""
        turn = float(self._rng.uniform(0, 2 * np.pi))
        if defect in ("small_chip", "large_chip"):
            self._chip(image, turn, large=defect == "large_chip")
        elif defect == "contamination":
            self._dirt(image, turn, strength)
        elif defect == "crack":
            wall = self._outer - self._bore
            line = wander(self._rng, self._at(turn, self._bore), turn, wall * (0.4 + strength), 0.2)
            where = mask()
            cv2.polylines(where, [line], False, 255, 1 + int(2 * strength), 16)
            paint(image, where, self._glint, 0.9)
        else:
            where = mask()
            for _ in range(int(2 + 8 * strength)):
                at = self._at(turn + self._rng.normal(0, 0.1 + 0.1 * strength), self._mouth)
                cv2.fillPoly(where, [blob(self._rng, at, self._rng.uniform(2, 7))], 255, 16)
            paint(image, where, np.minimum(self._glint * 1.4, 1), 0.9)

    def _chip(self, image: Image, turn: float, *, large: bool) -> None:
        rng = self._rng
        reach = float(rng.uniform(0.5, 1.6) if large else rng.uniform(0.08, 0.4))
        middle = (self._bore + self._mouth) / 2
        where = mask()
        for _ in range(int(12 * reach) + 3):
            deep = rng.uniform(8, 30) if large else rng.uniform(4, 11)
            at = self._at(turn + rng.normal(0, reach / 2), middle + rng.normal(0, deep / 2))
            cv2.fillPoly(where, [blob(rng, at, deep)], 255, 16)
        paint(image, where, self._glass * np.float32(rng.uniform(0.3, 0.9)))
        if large and rng.random() < 0.5:  # what lies behind the break is out of focus
            soft = cv2.GaussianBlur(image, (0, 0), 6)
            side = mask()
            cv2.fillPoly(side, [blob(rng, self._at(turn, self._outer * 0.9), 70)], 255, 16)
            paint(image, cv2.GaussianBlur(side, (0, 0), 8), np.asarray(soft * 0.7, np.float32))
        for _ in range(int(30 * reach) + 3):
            at = self._at(turn + rng.normal(0, reach / 2.2), middle + rng.normal(0, 8))
            corners = np.rint(at + rng.normal(0, 3 + 5 * large, (3, 2))).astype(np.int32)
            shard = mask()
            cv2.fillPoly(shard, [corners], 255, 16)
            shade = np.float32(rng.choice([0.05, 0.25, 0.5, 0.95], p=[0.3, 0.35, 0.2, 0.15]))
            paint(image, shard, shade * tint(rng, (1, 0.95, 0.88), 0.05), rng.uniform(0.5, 1))

    def _dirt(self, image: Image, turn: float, strength: float) -> None:
        rng = self._rng
        where = mask()
        if rng.random() < 0.15:
            centre = np.rint(self._centre).astype(int).tolist()
            cv2.circle(where, centre, int(self._bore), 255, -1, 16)
        for _ in range(1 + int(2 * strength)):
            within = rng.uniform(0, 0.9 if rng.random() < 0.8 else 1.6) * self._bore
            reach = rng.uniform(5, 12 + 0.5 * self._bore * strength)
            at = self._at(turn + rng.normal(0, 0.6), within)
            cv2.fillPoly(where, [blob(rng, at, reach)], 255, 16)
        soft = cv2.GaussianBlur(where, (0, 0), rng.uniform(0.5, 3))
        shade = tint(rng, ((0.3, 0.3, 0.3), (0.5, 0.35, 0.2), (0.7, 0.65, 0.6))[rng.integers(3)])
        fill = shade * (1 + 0.35 * noise(rng, rng.uniform(1, 8))[..., None])
        paint(image, soft, np.clip(fill, 0, 1).astype(np.float32), rng.uniform(0.2, 0.95))

    def _at(self, turn: float, radius: float) -> NDArray[np.float64]:
        return np.asarray(self._centre + radius * np.array([np.cos(turn), np.sin(turn)]))


def _disc(out: NDArray[Any], radius: float, soft: float) -> NDArray[np.uint8]:
    return np.asarray(np.clip((radius - out) / soft + 0.5, 0, 1) * 255, np.uint8)
