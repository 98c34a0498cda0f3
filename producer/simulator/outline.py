"""Closed lines, nearly round as plastic that came out of a die.

Points are float32 [n, 2] as (x, y) in pixels, y downwards; angles are radians, clockwise from the
right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Angles = NDArray[np.float64]

_CORNERS = 144  # enough for a smooth sheath at 1024 px
_ANGLES = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A closed line around `centre` [2]: its radius in pixels at each of `_CORNERS` even angles."""

    centre: Points
    radii: NDArray[np.float64]

    @classmethod
    def wobbly(
        cls, centre: NDArray[Any], radius: float, wobble: float, rng: np.random.Generator
    ) -> Outline:
        """A circle out of round by about `wobble`, a fraction of `radius`; long waves dominate."""
        waves = np.arange(2, 9)
        sizes = wobble * rng.normal(size=len(waves)) / (waves - 1)
        shape = np.sin(_ANGLES[:, None] * waves + rng.uniform(0, 2 * np.pi, len(waves))) @ sizes
        return cls(np.asarray(centre, np.float32), radius * (1 + shape))

    @property
    def radius(self) -> float:
        """The mean radius in pixels."""
        return float(self.radii.mean())

    def points(self, grow: float = 0.0) -> Points:
        """The line's corners [_CORNERS, 2], moved outwards by `grow` pixels."""
        around = _CIRCLE * (self.radii + grow)[:, None] + self.centre
        return around.astype(np.float32)

    def at(self, angles: Angles, grow: Angles | float = 0.0) -> Points:
        """The line's points at `angles` [n], moved outwards by `grow` pixels: [n, 2]."""
        turns = angles / (2 * np.pi) * _CORNERS
        radii = np.interp(turns, np.arange(_CORNERS), self.radii, period=_CORNERS)
        around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return (self.centre + around * (radii + grow)[..., None]).astype(np.float32)
