"""How far parts lie from what a model has seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How far parts lie from what a model has seen; None where it does not measure that.

    Attributes:
        classes: float [n], from the nearest class.
        good: float [n], from the good parts.
        patches: float [n], of their farthest places from those of good parts; NaN where nobody
            looked at a part's places.
    """

    classes: npt.NDArray[np.floating] | None
    good: npt.NDArray[np.floating] | None
    patches: npt.NDArray[np.floating] | None = None

    def of(self, chosen: npt.NDArray[np.bool_]) -> Distances:
        """Those of the chosen parts, bool [n]."""
        found = (None if far is None else far[chosen] for far in self._all())
        return Distances(*found)

    def _all(self) -> tuple[npt.NDArray[np.floating] | None, ...]:
        return self.classes, self.good, self.patches

    def rows(self, count: int) -> list[tuple[float | None, float | None, float | None]]:
        """All three, picture by picture; None too where the places were not looked at."""
        none = [None] * count
        classes, good, patches = (
            none if found is None else found.tolist() for found in self._all()
        )
        looked = (None if far is None or isnan(far) else far for far in patches)
        return list(zip(classes, good, looked, strict=True))
