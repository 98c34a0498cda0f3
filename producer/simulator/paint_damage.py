"""Draws what defects did to a part."""

from __future__ import annotations

import numpy as np

from producer.simulator.design import RGB, shaded
from producer.simulator.part import BentWire, Cut, Puncture
from producer.simulator.scene import COPPER_GLOSS, Scene
from producer.simulator.strands import strand_sprites


def paint_cut(scene: Scene, cut: Cut, face: float, unit: float) -> None:
    """Torn lip, then walls that slope down towards the mouth, then the floor."""
    scene.stroke(cut.walls, 4 * unit, None, face + 1.5 * unit)
    scene.stroke(cut.walls, 2 * unit, shaded(cut.colour, 1.12))
    middle = (cut.walls[0] + cut.walls[-1]) / 2
    outwards = middle - cut.walls.mean(axis=0)
    outwards *= 1.3 * unit / max(float(np.linalg.norm(outwards)), 1e-6)
    steps = ((1.0, 0.2, 0.8), (0.95, 0.5, 0.68), (0.9, 0.8, 0.58), (0.85, 1.0, 0.0))
    for i, (share, down, shade) in enumerate(steps):  # each covers the last one's edge at the mouth
        walls = middle + share * (cut.walls - middle)
        points = np.concatenate([walls, cut.mouth + i * outwards])
        colour = shaded(cut.colour, shade) if down < 1 else cut.floor
        scene.fill(points, colour, face - down * cut.depth, gloss=0)


def paint_puncture(scene: Scene, puncture: Puncture, unit: float) -> None:
    """A bulge all round, creases pressed into it, and a funnel that gets dark."""
    for share in (1.0, 0.85, 0.7, 0.55, 0.4, 0.25):
        bulge = puncture.lift + 0.75 * puncture.rim * (1 - share**2) ** 2
        scene.stroke(puncture.hole, 2.4 * puncture.rim * share, None, bulge, closed=True)
    pale = shaded(puncture.colour, 1.16)
    scene.stroke(puncture.hole, 0.9 * puncture.rim, pale, closed=True)  # stretched plastic whitens
    for crease in puncture.creases:
        scene.stroke(crease, 1.6 * unit, shaded(puncture.colour, 0.85), puncture.lift - 2 * unit)
    middle = puncture.hole.mean(axis=0)
    for share, shade, down in ((1.0, 0.62, 5.0), (0.8, 0.4, 12.0), (0.58, 0.2, 26.0)):
        funnel = middle + share * (puncture.hole - middle)
        scene.fill(funnel, shaded(puncture.colour, shade), puncture.lift - down * unit, gloss=0)


def paint_bent_wire(scene: Scene, wire: BentWire, copper: RGB) -> None:
    """Stack ever narrower, ever higher lines: a round bar lying on its side."""
    scene.stroke(
        wire.axis, 2 * wire.radius, shaded(copper, wire.shade), wire.lift, gloss=COPPER_GLOSS
    )
    for share in (0.3, 0.55, 0.75, 0.9, 0.98):
        width = 2 * wire.radius * np.sqrt(1 - share**2)
        scene.stroke(wire.axis, width, None, wire.lift + wire.radius * share)
    sprites = strand_sprites(0.94 * wire.radius, copper)
    tip = wire.axis[-1:]
    scene.stamp(sprites, [wire.look], tip, [wire.lift + wire.radius * 0.6])
