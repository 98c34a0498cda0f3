"""Families of parts that are drawn, each with its own defects. No photograph is used anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tools.train_compact.families import cable, connector, mark, ring, texture
from tools.train_compact.families.picture import Picture

FAMILIES: Mapping[str, Callable[..., Picture]] = {  # (rng, defect, camera)
    "cable": cable.draw,
    "texture": texture.draw,
    "mark": mark.draw,
    "ring": ring.draw,
    "connector": connector.draw,
}
DEFECTS: Mapping[str, tuple[str, ...]] = {
    "cable": cable.DEFECTS,
    "texture": texture.DEFECTS,
    "mark": mark.DEFECTS,
    "ring": ring.DEFECTS,
    "connector": connector.DEFECTS,
}
CLASSES: tuple[str, ...] = tuple(
    f"{family}/{defect}" for family, defects in DEFECTS.items() for defect in defects
)
SHARES: Mapping[str, float] = {
    "cable": 0.66, "texture": 0.14, "mark": 0.03, "ring": 0.14, "connector": 0.03
}  # fmt: skip

__all__ = ["CLASSES", "DEFECTS", "FAMILIES", "SHARES", "Picture", "draw"]


def draw(seed: int, index: int) -> Picture:
    """Draw picture `index` of the training set `seed`: it depends on these two alone."""
    rng = np.random.default_rng([seed, index])
    family = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    defect = str(rng.choice(DEFECTS[family]))
    return FAMILIES[family](rng, defect)
