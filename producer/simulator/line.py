"""A production line that makes parts: which class, when, where, under which conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.simulator.conditions import Drift
from producer.simulator.defects import CLASSES
from producer.simulator.design import STANDARD, CableDesign
from producer.simulator.render import render

DEFAULT_MIX: Mapping[str, float] = {
    "good": 0.70,
    "bent_wire": 0.06,
    "cable_swap": 0.03,
    "combined": 0.01,
    "cut_inner_insulation": 0.05,
    "cut_outer_insulation": 0.04,
    "missing_cable": 0.01,
    "missing_wire": 0.06,
    "poke_insulation": 0.04,
}


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPart:
    """One part with its picture, uint8 [size, size, 3] RGB, and the class it was made to have."""

    index: int
    serial: str
    defect_class: str
    line: str
    camera: str
    lot: str
    pixels: NDArray[np.uint8]


class SimulatedLine:
    """Makes parts one after another, in turn on each of `lines` and each line's cameras.

    A part depends on `seed` and its index alone, so parts may be made in any order, by any number
    of processes. `mix` gives the classes' shares, in any unit; `drift` ages the station.

    Raises:
        ValueError: the mix names an unknown class, has a negative share or none above 0; or there
            is no line, no camera, an empty lot or a negative seed.
    """

    def __init__(
        self,
        *,
        seed: int,
        lines: Sequence[str] = ("line-1", "line-2"),
        cameras_per_line: int = 2,
        mix: Mapping[str, float] | None = None,
        drift: Drift | None = None,
        lot_size: int = 50,
        size: int = 1024,
        first_serial: int = 1,
        design: CableDesign = STANDARD,
    ) -> None:
        if seed < 0 or not lines or cameras_per_line < 1 or lot_size < 1:
            raise ValueError(
                "a line needs a seed from 0 up, a line, a camera and a lot of one part or more; "
                f"got seed={seed}, lines={list(lines)}, cameras_per_line={cameras_per_line}, "
                f"lot_size={lot_size}"
            )
        self.mix = normalised_mix(DEFAULT_MIX if mix is None else mix)
        self._seed, self._size, self._design = seed, size, design
        self._lines, self._cameras_per_line = tuple(lines), cameras_per_line
        self._drift, self._lot_size, self._first_serial = drift or Drift(), lot_size, first_serial

    def part(self, index: int) -> SimulatedPart:
        """Make part `index`, counted from 0.

        Raises:
            ValueError: `index` is negative.
        """
        if index < 0:
            raise ValueError(f"parts are counted from 0; there is no part {index}")
        rng = np.random.default_rng([self._seed, index])
        defect_class = str(rng.choice(list(self.mix), p=list(self.mix.values())))
        turn, place = divmod(index, len(self._lines))
        line = self._lines[place]
        conditions = self._drift.conditions(index)
        return SimulatedPart(
            index=index,
            serial=f"C{self._first_serial + index:08d}",
            defect_class=defect_class,
            line=line,
            camera=f"{line}-camera-{turn % self._cameras_per_line + 1}",
            lot=f"lot-{index // self._lot_size + 1:05d}",
            pixels=render(
                defect_class, rng, design=self._design, conditions=conditions, size=self._size
            ),
        )

    def parts(self, count: int) -> Iterator[SimulatedPart]:
        """Make the first `count` parts, in order."""
        return (self.part(index) for index in range(count))


def normalised_mix(mix: Mapping[str, float]) -> dict[str, float]:
    """The share of every class, in `CLASSES`' order, adding up to 1.

    Raises:
        ValueError: see `SimulatedLine`.
    """
    unknown = sorted(set(mix) - set(CLASSES))
    if unknown:
        raise ValueError(
            f"the mix names {', '.join(unknown)}; use these classes: {', '.join(CLASSES)}"
        )
    for name, share in mix.items():
        if not 0 <= share < float("inf"):
            raise ValueError(f"the mix gives {name} a share of {share}; make it 0 or more")
    total = sum(mix.values())
    if total <= 0:
        raise ValueError("the mix is all zero; give at least one class a share above 0")
    return {name: mix.get(name, 0.0) / total for name in CLASSES}
