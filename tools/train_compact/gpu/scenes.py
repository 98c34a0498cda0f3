"""What this run draws, and in which shares: no camera has seen it yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tools.train_compact.families import DEFECTS, FAMILIES, ground
from tools.train_compact.families.picture import Picture, unseen

# Cables were two thirds of the earlier runs; here they are a quarter.
SHARES: Mapping[str, float] = {
    "cable": 0.25,
    "ground": 0.40,
    "texture": 0.12,
    "ring": 0.13,
    "mark": 0.05,
    "connector": 0.05,
}
GROUPS = ("standard cable", *SHARES)
NO_KIND = -1


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A drawn picture of `DRAWN` pixels, its group, and the kind of its ground or `NO_KIND`."""

    picture: Picture
    group: int  # index into `GROUPS`
    kind: int


def draw_scene(seed: int, index: int) -> Scene:
    """Draw scene `index` of the run `seed`: it depends on these two alone."""
    rng = np.random.default_rng([seed, 3, index])
    family = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    if family == "ground":
        number = int(rng.integers(ground.KINDS))
        return Scene(ground.draw(rng, number, unseen), GROUPS.index("ground"), number)
    defect = str(rng.choice(DEFECTS[family]))
    picture = FAMILIES[family](rng, defect, unseen)
    group = "standard cable" if picture.facts.get("standard") == "yes" else family
    return Scene(picture, GROUPS.index(group), NO_KIND)
