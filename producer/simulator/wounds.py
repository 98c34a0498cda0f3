"""The shapes that defects are made of: cuts, holes and bent lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.simulator.outline import Outline, Points


@dataclass(frozen=True, slots=True)
class CutShape:
    """A cut in pixels, and how blunt its floor is: 1 a V, 2 round, 6 a box."""

    width: float
    depth: float
    bluntness: float

    @classmethod
    def random(cls, rng: np.random.Generator, wall: float, widest: float) -> CutShape:
        """A slit, a notch or a slice in material `wall` pixels thick.

        `widest` says how wide a notch may get, in walls; a slice gets twice as wide.
        """
        kind = rng.choice(["slit", "notch", "slice"])
        if kind == "slit":
            width, depth, bluntness = (0.13, 0.32), (0.6, 1.1), (2.0, 6.0)
        elif kind == "notch":
            width, depth, bluntness = (0.35 * widest, widest), (0.5, 1.1), (1.0, 1.8)
        else:
            width, depth, bluntness = (1.2 * widest, 2.2 * widest), (0.35, 0.8), (1.8, 3.0)
        return cls(
            wall * rng.uniform(*width), wall * rng.uniform(*depth), float(rng.uniform(*bluntness))
        )


def carve(
    outline: Outline, shape: CutShape, unit: float, rng: np.random.Generator
) -> tuple[Points, Points]:
    """Cut from somewhere on `outline` inwards: the line of its torn walls, and its open mouth."""
    along = np.linspace(-1, 1, 25)
    inwards = shape.depth * (1 - np.abs(along) ** shape.bluntness)
    jag = rng.normal(0, 0.7 * unit, 25) * (1 - along**2)
    across = 0.5 * shape.width * along + inwards * rng.normal(0, 0.25)
    across += rng.normal(0, 0.4 * unit, 25)
    angle = rng.uniform(0, 2 * np.pi)
    walls = outline.at(angle + across / outline.radius, jag - inwards)
    mouth = np.linspace(0.42, -0.42, 15) * shape.width / outline.radius
    return walls, outline.at(angle + mouth, 1.0 * unit)


def curve(start: Points, heading: float, bend: float, length: float) -> Points:
    """An arc from `start`, turning by `bend` radians over `length` pixels: float32 [12, 2]."""
    turns = heading + bend * np.linspace(0, 1, 12)
    steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (length / 11)
    steps[0] = 0
    return (start + np.cumsum(steps, axis=0)).astype(np.float32)


def hole(where: Points, reach: float, rng: np.random.Generator) -> Points:
    """What a blunt tip leaves: an uneven oval of half length `reach` pixels, float32 [28, 2]."""
    around = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    waves = np.sin(np.outer([2, 3, 5], around) + rng.uniform(0, 2 * np.pi, (3, 1)))
    radii = reach * (1 + rng.normal(0, 0.07, 3) @ waves)
    oval = np.stack([radii * np.cos(around), rng.uniform(0.55, 1) * radii * np.sin(around)], axis=1)
    slant = rng.uniform(0, np.pi)
    turn: NDArray[np.float64] = np.array(
        [[np.cos(slant), np.sin(slant)], [-np.sin(slant), np.cos(slant)]]
    )
    return (where + oval @ turn).astype(np.float32)
