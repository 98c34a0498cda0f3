"""Which copies of a picture a product's symmetry asks for, by name. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence


def copy_names(symmetry: Sequence[str]) -> tuple[str, ...]:
    """The copies that each picture has under a `symmetry` of flip, rotate90 and brightness.

    Mirror and quarter turns combine to the seven other ways to lay a square; two copies differ in
    brightness. A name means the same picture for ever: features are stored under it.
    """
    turns = ("turned 90", "turned 180", "turned 270") if "rotate90" in symmetry else ()
    names: tuple[str, ...] = turns
    if "flip" in symmetry:
        names += ("mirrored", *(f"mirrored, {turn}" for turn in turns))
    return names + (("darker", "brighter") if "brightness" in symmetry else ())
