"""One part before it is drawn: where everything lies, in pixels. Defects change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from producer.simulator.conditions import Conditions
from producer.simulator.design import RGB, CableDesign
from producer.simulator.outline import Outline, Points
from producer.simulator.strands import packing

_TABLE = -110 / 1024  # height of the table below the cut face, as a fraction of the picture's side


@dataclass(slots=True, eq=False)
class Conductor:
    """An insulated conductor: a coloured ring around a bundle of strands."""

    outline: Outline
    bore: Outline
    colour: RGB
    lift: float  # how far its face stands above the sheath's, in pixels
    strands: Points  # [n, 2] centres
    looks: NDArray[np.int64]  # [n] which sprite each strand wears
    lifts: NDArray[np.float64]  # [n] how far each strand stands out of the bundle, in pixels
    strand_radius: float
    missing: bool = False

    @property
    def thickness(self) -> float:
        """The insulation's mean thickness in pixels."""
        return self.outline.radius - self.bore.radius

    def take_out(self, gone: NDArray[np.bool_]) -> None:
        """Remove the strands marked in `gone` [n]."""
        self.strands, self.looks = self.strands[~gone], self.looks[~gone]
        self.lifts = self.lifts[~gone]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Material carved away between a line of torn walls and an open mouth."""

    walls: Points
    mouth: Points  # from the walls' end back to their start
    depth: float  # pixels below the face it was cut into
    colour: RGB  # of the material
    floor: RGB  # what shows at the bottom


@dataclass(frozen=True, slots=True, eq=False)
class Puncture:
    """A hole pushed into soft material, the rim it raised, and creases that run from it."""

    hole: Points
    creases: tuple[Points, ...]
    rim: float  # width in pixels
    lift: float  # the pierced face's height
    colour: RGB


@dataclass(frozen=True, slots=True, eq=False)
class BentWire:
    """A strand seen from the side: the line of its axis from the bundle outwards."""

    axis: Points
    radius: float
    lift: float  # height of its underside
    look: int  # which sprite its end wears
    shade: float  # how bright its side is, 1 as the strands' faces


@dataclass(slots=True, eq=False)
class Part:
    """Everything that is on one picture, in drawing order."""

    size: int
    unit: float  # pixels per pixel of a 1024 px picture in nominal pose
    table: float  # the table's height in pixels; the sheath's face is 0
    table_colour: RGB
    sheath: Outline
    sheath_colour: RGB
    lobes: list[Outline]  # of the cavity, one a conductor
    conductors: list[Conductor]
    sheath_cuts: list[Cut] = field(default_factory=list)
    ring_cuts: list[tuple[Conductor, Cut]] = field(default_factory=list)
    punctures: list[Puncture] = field(default_factory=list)
    bent_wires: list[BentWire] = field(default_factory=list)
    harmed: list[Conductor] = field(default_factory=list)  # each is harmed by one defect at most

    @property
    def sheath_wall(self) -> float:
        """The sheath's least thickness in pixels: from the outermost conductor to the rim."""
        reach = [np.linalg.norm(c.centre - self.sheath.centre) + c.radius for c in self.lobes]
        return self.sheath.radius - float(max(reach))


def good_part(
    design: CableDesign, conditions: Conditions, rng: np.random.Generator, size: int
) -> Part:
    """A flawless part of `design`, placed as a fixture places it: nearly straight in the middle."""
    jitter = conditions.pose_jitter
    scale = size * (1 + 0.012 * jitter * rng.normal())
    centre = size * (0.5 + 0.008 * jitter * rng.normal(size=2))
    turn = -np.pi / 2 + np.radians(5) * jitter * rng.normal()
    part = Part(
        size=size,
        unit=scale / 1024,
        table=_TABLE * scale,
        table_colour=design.background,
        sheath=Outline.wobbly(centre, scale * design.sheath_radius, 0.006, rng),
        sheath_colour=design.sheath,
        lobes=[],
        conductors=[],
    )
    for i, colour in enumerate(design.insulations):
        angle = turn + 2 * np.pi * i / len(design.insulations) + rng.normal(0, 0.015)
        away = scale * design.orbit * np.array([np.cos(angle), np.sin(angle)])
        where = centre + away + rng.normal(0, 0.0015, 2) * scale
        part.conductors.append(_conductor(design, colour, where, scale, rng))
        room = scale * (design.conductor_radius + 0.0028)
        aside = where + rng.normal(0, 0.0012, 2) * scale
        part.lobes.append(Outline.wobbly(aside, room, 0.006, rng))
    return part


def _conductor(
    design: CableDesign, colour: RGB, centre: NDArray[Any], scale: float, rng: np.random.Generator
) -> Conductor:
    radius = scale * design.conductor_radius
    wall = scale * design.insulation_thickness
    bore = Outline.wobbly(centre + rng.normal(0, 0.06, 2) * wall, radius - wall, 0.012, rng)
    discs, strand_radius = packing(design.strands, int(rng.integers(8)))
    turn = rng.uniform(0, 2 * np.pi)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    reach = 0.985 * (radius - wall)
    shaken = discs @ spin + rng.normal(0, 0.05 * strand_radius, discs.shape)
    return Conductor(
        outline=Outline.wobbly(centre, radius, 0.008, rng),
        bore=bore,
        colour=colour,
        lift=scale / 1024 * rng.normal(0, 5),
        strands=(bore.centre + reach * shaken).astype(np.float32),
        looks=rng.integers(1 << 30, size=len(discs)),
        lifts=scale / 1024 * rng.normal(0, 3, len(discs)),
        strand_radius=reach * strand_radius,
    )
