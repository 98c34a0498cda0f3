"""The product that is drawn: a multi-conductor cable's colours and measures."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

import numpy as np

RGB = tuple[int, int, int]

_PALETTE: tuple[RGB, ...] = (
    (88, 142, 62),  # green
    (44, 92, 158),  # blue
    (128, 92, 72),  # brown
    (206, 176, 48),  # yellow
    (176, 44, 40),  # red
    (46, 46, 50),  # black
    (222, 220, 214),  # white
    (142, 144, 148),  # grey
    (214, 112, 34),  # orange
    (112, 74, 142),  # violet
    (208, 132, 150),  # pink
)
_METALS: tuple[RGB, ...] = ((206, 122, 82), (214, 140, 96), (186, 182, 176), (198, 200, 204))
_NEIGHBOUR_GAP = 1.03  # the conductors' spacing, in conductor diameters


@dataclass(frozen=True, slots=True)
class CableDesign:
    """What a flawless part of one product looks like.

    Lengths are fractions of the picture's side, colours are RGB. `insulations` are named clockwise
    from the top, and their order is the product's standard order.

    Raises:
        ValueError: the conductors do not fit into the sheath, or there are not 2 to 6 of them.
    """

    insulations: tuple[RGB, ...] = ((104, 148, 78), (134, 112, 98), (62, 102, 152))
    sheath: RGB = (112, 114, 116)
    filler: RGB = (52, 51, 50)
    background: RGB = (196, 198, 196)
    copper: RGB = (204, 132, 98)
    sheath_radius: float = 0.435
    conductor_radius: float = 0.158
    insulation_thickness: float = 0.034
    strands: int = 52

    def __post_init__(self) -> None:
        if not 2 <= len(self.insulations) <= 6:
            raise ValueError(f"a cable has 2 to 6 conductors, not {len(self.insulations)}")
        if not 0 < self.insulation_thickness < 0.5 * self.conductor_radius:
            raise ValueError("insulation_thickness must be above 0 and below half conductor_radius")
        if self.orbit + self.conductor_radius > 0.96 * self.sheath_radius:
            raise ValueError("the conductors do not fit: raise sheath_radius or lower their radius")
        if self.sheath_radius > 0.48 or not 3 <= self.strands <= 200:
            raise ValueError("sheath_radius may be 0.48 at most, and strands 3 to 200")

    @property
    def orbit(self) -> float:
        """How far the conductors' centres lie from the cable's, as a fraction of the side."""
        return _NEIGHBOUR_GAP * self.conductor_radius / sin(pi / len(self.insulations))

    @classmethod
    def random(cls, rng: np.random.Generator) -> CableDesign:
        """Some other product: 2 to 5 conductors, other colours, measures and metal."""
        count = int(rng.choice([2, 3, 4, 5], p=[0.15, 0.45, 0.25, 0.15]))
        order = rng.permutation(len(_PALETTE))[:count]
        sheath_radius = float(rng.uniform(0.36, 0.45))
        reach = sheath_radius * float(rng.uniform(0.74, 0.86))
        conductor_radius = reach / (1 + _NEIGHBOUR_GAP / sin(pi / count))
        dim = int(rng.choice([34, 50, 90, 140]))
        shade = int(rng.integers(110, 225))
        return cls(
            insulations=tuple(_vary(_PALETTE[i], rng, 14) for i in order),
            sheath=_vary(_PALETTE[int(rng.integers(len(_PALETTE)))], rng, 14),
            filler=_vary((dim, dim, dim), rng, 6),
            background=_vary((shade, shade, shade), rng, 10),
            copper=_vary(_METALS[int(rng.integers(len(_METALS)))], rng, 8),
            sheath_radius=sheath_radius,
            conductor_radius=conductor_radius,
            insulation_thickness=conductor_radius * float(rng.uniform(0.16, 0.3)),
            strands=int(rng.choice([7, 12, 19, 30, 37, 52, 61, 80])),
        )


def shaded(colour: RGB, factor: float) -> RGB:
    """`colour`, darker (below 1) or lighter."""
    red, green, blue = (int(min(255, max(0, c * factor))) for c in colour)
    return red, green, blue


def _vary(colour: RGB, rng: np.random.Generator, spread: float) -> RGB:
    red, green, blue = np.clip(np.asarray(colour) + rng.normal(0, spread, 3), 8, 245).astype(int)
    return int(red), int(green), int(blue)


STANDARD = CableDesign()
