"""The eight defects. Each takes a part and harms it in place, a little differently each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from producer.simulator.design import shaded
from producer.simulator.part import BentWire, Conductor, Cut, Part, Puncture
from producer.simulator.wounds import CutShape, carve, curve, hole

Defect = Callable[[Part, np.random.Generator], None]


def bent_wire(part: Part, rng: np.random.Generator) -> None:
    """Strands bent out of the bundle, lying across it or across the insulation."""
    conductor = _unharmed(part, rng)
    count = min(int(rng.choice([1, 2, 3, 4], p=[0.35, 0.3, 0.2, 0.15])), len(conductor.strands) - 2)
    off_centre = conductor.strands - conductor.bore.centre
    side = rng.uniform(0, 2 * np.pi)
    sideways = off_centre @ np.array([np.cos(side), np.sin(side)]) / conductor.bore.radius
    bent = np.argsort(-(sideways + rng.normal(0, 0.25, len(sideways))))[:count]
    radius = conductor.strand_radius
    for i in bent.tolist():
        heading = np.arctan2(off_centre[i, 1], off_centre[i, 0]) + rng.normal(0, 0.6)
        length = radius * rng.uniform(2.5, 9.0)
        part.bent_wires.append(
            BentWire(
                axis=curve(conductor.strands[i], heading, rng.normal(0, 0.7), length),
                radius=0.92 * radius,
                lift=conductor.lift + part.unit * rng.uniform(4, 10),
                look=int(conductor.looks[i]),
                shade=float(rng.uniform(0.8, 1.1)),
            )
        )
    conductor.take_out(np.isin(np.arange(len(off_centre)), bent))


def cable_swap(part: Part, rng: np.random.Generator) -> None:
    """Conductors in the wrong order: two change places, or one is made in another's colour."""
    one = _unharmed(part, rng)
    others = [c for c in part.conductors if c.colour != one.colour] or part.conductors
    other = others[int(rng.integers(len(others)))]
    if rng.random() < 0.7:
        one.colour, other.colour = other.colour, one.colour
    else:
        one.colour = other.colour


def combined(part: Part, rng: np.random.Generator) -> None:
    """Two different defects on one part."""
    names = sorted(set(DEFECTS) - {"combined"})
    for name in rng.choice(names, 2, replace=False).tolist():
        DEFECTS[name](part, rng)


def cut_inner_insulation(part: Part, rng: np.random.Generator) -> None:
    """A slit, a notch or a slice taken out of one conductor's coloured ring."""
    conductor = _unharmed(part, rng)
    shape = CutShape.random(rng, conductor.thickness, widest=2.2)
    walls, mouth = carve(conductor.outline, shape, part.unit, rng)
    depth = part.unit * rng.uniform(14, 60)
    floor = shaded(conductor.colour, rng.uniform(0.3, 0.6))
    part.ring_cuts.append((conductor, Cut(walls, mouth, depth, conductor.colour, floor)))


def cut_outer_insulation(part: Part, rng: np.random.Generator) -> None:
    """A slit, a notch or a slice taken out of the sheath's rim."""
    shape = CutShape.random(rng, part.sheath_wall, widest=1.1)
    walls, mouth = carve(part.sheath, shape, part.unit, rng)
    depth, floor = part.unit * rng.uniform(14, 60), shaded(part.sheath_colour, 0.5)
    if rng.random() < 0.45:  # all the way down, so that the table shows
        depth, floor = -part.table, part.table_colour
    part.sheath_cuts.append(Cut(walls, mouth, depth, part.sheath_colour, floor))


def missing_cable(part: Part, rng: np.random.Generator) -> None:
    """One conductor absent: an empty hole."""
    _unharmed(part, rng).missing = True


def missing_wire(part: Part, rng: np.random.Generator) -> None:
    """Neighbouring strands absent from a bundle: a dark gap."""
    conductor = _unharmed(part, rng)
    total = len(conductor.strands)
    count = int(np.clip(np.rint(total * rng.uniform(0.06, 0.32)), 1, total - 1))
    start = conductor.strands[rng.integers(total)]
    distance = np.linalg.norm(conductor.strands - start, axis=1) * rng.uniform(0.8, 1.25, total)
    conductor.take_out(np.isin(np.arange(total), np.argsort(distance)[:count]))


def poke_insulation(part: Part, rng: np.random.Generator) -> None:
    """A small hole with a raised rim, pushed into a ring or into the sheath."""
    if rng.random() < 0.75:
        conductor = _unharmed(part, rng)
        outline, wall, lift = conductor.outline, conductor.thickness, conductor.lift
        colour, reach = conductor.colour, rng.uniform(0.22, 0.43) * wall
    else:
        outline, wall, lift = part.sheath, part.sheath_wall, 0.0
        colour, reach = part.sheath_colour, rng.uniform(8, 18) * part.unit
    where = outline.at(np.array(rng.uniform(0, 2 * np.pi)), -wall * rng.uniform(0.42, 0.58))
    headings = rng.uniform(0, 2 * np.pi, rng.integers(0, 3)).tolist()
    creases = tuple(
        curve(where, heading, rng.normal(0, 0.4), reach * rng.uniform(1.4, 2.2))
        for heading in headings
    )
    rim = float(reach * rng.uniform(0.5, 0.9))
    part.punctures.append(Puncture(hole(where, reach, rng), creases, rim, lift, colour))


DEFECTS: Mapping[str, Defect] = {
    "bent_wire": bent_wire,
    "cable_swap": cable_swap,
    "combined": combined,
    "cut_inner_insulation": cut_inner_insulation,
    "cut_outer_insulation": cut_outer_insulation,
    "missing_cable": missing_cable,
    "missing_wire": missing_wire,
    "poke_insulation": poke_insulation,
}
CLASSES: tuple[str, ...] = ("good", *DEFECTS)


def _unharmed(part: Part, rng: np.random.Generator) -> Conductor:
    """Choose a conductor that no other defect of this part has used."""
    free = [c for c in part.conductors if c not in part.harmed]
    chosen = free[int(rng.integers(len(free)))]
    part.harmed.append(chosen)
    return chosen
