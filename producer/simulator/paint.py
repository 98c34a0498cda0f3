"""Draws a part onto a scene, from the table upwards."""

from __future__ import annotations

import numpy as np

from producer.simulator.conditions import Conditions
from producer.simulator.design import RGB, CableDesign, shaded
from producer.simulator.outline import Outline, Points
from producer.simulator.paint_damage import paint_bent_wire, paint_cut, paint_puncture
from producer.simulator.part import Conductor, Part
from producer.simulator.scene import COPPER_GLOSS, Scene
from producer.simulator.strands import strand_sprites
from producer.simulator.texture import face_texture, mottle

# Heights in pixels of a 1024 px picture, relative to the sheath's face.
_CAVITY, _BORE = -80.0, -34.0
_SHEATH_GLOSS, _RING_GLOSS = 26, 46


def paint(
    part: Part, design: CableDesign, conditions: Conditions, rng: np.random.Generator
) -> Scene:
    """Draw `part`. The same `rng` state gives the same textures, whatever the part's defects."""
    unit = part.unit
    grain, clouds = face_texture(rng, part.size), mottle(rng, part.size)
    scene = Scene.empty(design.background, part.table, grain, clouds)
    _paint_sheath(scene, part, design)
    for conductor in part.conductors:
        if not conductor.missing:
            _paint_ring(scene, conductor, unit)
            for cut in (c for owner, c in part.ring_cuts if owner is conductor):
                paint_cut(scene, cut, conductor.lift, unit)
            _paint_bundle(scene, conductor, design.copper, unit)
    for puncture in part.punctures:
        paint_puncture(scene, puncture, unit)
    for wire in part.bent_wires:
        paint_bent_wire(scene, wire, design.copper)
    _scatter_dust(scene, part, conditions, rng)
    return scene


def _paint_sheath(scene: Scene, part: Part, design: CableDesign) -> None:
    unit = part.unit
    for step in range(5):  # closer to the cable than the coarse shadows resolve, the table darkens
        near = step / 4
        dim = shaded(part.table_colour, 1 - 0.4 * near)
        scene.fill(part.sheath.points((0.5 + 7 * (1 - near) ** 2) * unit), dim)
    scene.fill(part.sheath.points(), part.sheath_colour, gloss=_SHEATH_GLOSS)
    _bevel(scene, part.sheath, 0.0, 6 * unit, 6 * unit)
    for cut in part.sheath_cuts:
        paint_cut(scene, cut, 0.0, unit)
    middle = part.sheath.centre
    hub = np.array([c.outline.centre for c in part.conductors], np.float32)
    # The lens looks down the cavity's walls, so what lies deeper appears nearer to the middle.
    wall = part.sheath_colour
    for step in range(5):
        down = step / 4
        colour = shaded(wall, 0.8 - 0.3 * down) if down < 1 else design.filler
        height = (_CAVITY * down - 3) * unit
        near, gloss = 1 - 0.075 * down, -1 if step else 0
        for lobe in part.lobes:
            scene.fill(middle + near * (lobe.points(-down * unit) - middle), colour, height, gloss)
        if len(hub) > 2:
            scene.fill(middle + near * (hub - middle), colour, height, gloss)


def _bevel(scene: Scene, outline: Outline, face: float, drop: float, width: float) -> None:
    """Raise `outline` to `face`, rounding its edge: `drop` pixels down over `width` pixels."""
    steps = max(3, round(0.7 * width))
    scene.fill(outline.points(), None, face)
    for step in range(steps + 1):
        out = step / steps
        points = outline.points((out - 0.85) * width)
        scene.stroke(points, 2.6 * width / steps, None, face - drop * out**2, closed=True)


def _paint_ring(scene: Scene, conductor: Conductor, unit: float) -> None:
    scene.fill(conductor.outline.points(), conductor.colour, gloss=_RING_GLOSS)
    _bevel(scene, conductor.outline, conductor.lift, 7 * unit, 5 * unit)
    for grow, drop in ((3.0, 0.7), (1.5, 2.5)):
        scene.fill(conductor.bore.points(grow * unit), None, conductor.lift - drop * unit)


def _paint_bundle(scene: Scene, conductor: Conductor, copper: RGB, unit: float) -> None:
    bottom = conductor.lift + _BORE * unit
    scene.fill(conductor.bore.points(), shaded(copper, 0.17), bottom, COPPER_GLOSS)
    sprites = strand_sprites(conductor.strand_radius, copper)
    heights = (conductor.lift + conductor.lifts - 4 * unit).tolist()
    scene.stamp(sprites, conductor.looks.tolist(), conductor.strands, heights)


def _scatter_dust(
    scene: Scene, part: Part, conditions: Conditions, rng: np.random.Generator
) -> None:
    """Lay a few pale specks and fibres on the face: they are no defect."""
    for _ in range(rng.poisson(2.5 + 22 * conditions.wear)):
        angle, away = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
        start = part.sheath.centre + away * (part.sheath.at(np.array(angle)) - part.sheath.centre)
        fibre = rng.random() < 0.25
        steps = rng.normal(0, (5 if fibre else 0.8) * part.unit, (6 if fibre else 2, 2))
        line: Points = (start + np.cumsum(steps, axis=0)).astype(np.float32)
        pale = int(rng.integers(120, 190))
        scene.stroke(line, (1 if fibre else rng.uniform(1, 3)) * part.unit, (pale, pale, pale))
