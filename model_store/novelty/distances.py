"""How far parts lie from what a model has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How far parts lie from what a model has seen; None where it does not measure that.

    Attributes:
        classes: float [n], from the nearest class.
        good: float [n], from the good parts.
    """

    classes: npt.NDArray[np.floating] | None
    good: npt.NDArray[np.floating] | None

    def rows(self, count: int) -> list[tuple[float | None, float | None]]:
        """Both, picture by picture."""
        none = [None] * count
        classes, good = (
            none if found is None else found.tolist() for found in (self.classes, self.good)
        )
        return list(zip(classes, good, strict=True))
