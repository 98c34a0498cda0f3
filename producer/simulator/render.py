"""From a class and a random state to a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from producer.simulator.camera import expose
from producer.simulator.conditions import NOMINAL, Conditions
from producer.simulator.defects import CLASSES, DEFECTS
from producer.simulator.design import STANDARD, CableDesign
from producer.simulator.light import illuminate
from producer.simulator.paint import paint
from producer.simulator.part import good_part

_SMALLEST = 64


def render(
    defect_class: str,
    rng: np.random.Generator,
    *,
    design: CableDesign = STANDARD,
    conditions: Conditions = NOMINAL,
    size: int = 1024,
) -> NDArray[np.uint8]:
    """Photograph one part of `defect_class`: uint8 [size, size, 3] RGB.

    The part, its defect and its surface have random streams of their own: with the same `rng`
    state two classes show the same part, and differ only where the defect is.

    Raises:
        ValueError: the class is unknown, or `size` is no multiple of 4 from 64 up.
    """
    if defect_class not in CLASSES:
        raise ValueError(f"unknown class {defect_class!r}; the classes are {', '.join(CLASSES)}")
    if size < _SMALLEST or size % 4:
        raise ValueError(f"size must be a multiple of 4 from {_SMALLEST} up, not {size}")
    shape, harm, surface = (np.random.default_rng(s) for s in rng.integers(1 << 62, size=3))
    part = good_part(design, conditions, shape, size)
    if defect_class in DEFECTS:
        DEFECTS[defect_class](part, harm)
    level = conditions.lighting * float(1 + 0.02 * surface.normal())  # a lamp's flicker
    scene = paint(part, design, conditions, surface)
    light = illuminate(scene, conditions, level)
    return expose(scene, light, conditions, surface)
