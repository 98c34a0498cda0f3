"""A batch as one visit sees it: the same scenes never look the same twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from tools.train_compact.batches import Batch
from tools.train_compact.families import CLASSES
from tools.train_compact.gpu.lens import Lens, cells, look
from tools.train_compact.gpu.pool import Pool
from tools.train_compact.gpu.sensor import Sensor
from tools.train_compact.gpu.sentences import COLOUR_FIELDS, OF_ANY, SOBER, UNSEEN, true_of

# What nobody could tell without colours.
_NEED_COLOUR = tuple(CLASSES.index(name) for name in ("cable/cable_swap", "texture/rust"))


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """What was seen, and what is true of it.

    Attributes:
        batch: pictures, classes and harmed cells.
        kinds: int64 [n], of the ground; `NO_KIND` elsewhere.
        tokens: int64 [n, context], a sentence of each picture.
        truth: bool [n, n], which sentence is true of which picture.
    """

    batch: Batch
    kinds: torch.Tensor
    tokens: torch.Tensor
    truth: torch.Tensor


class Visits:
    """Visits to a pool, each decided by the seed, the network and the step alone.

    Args:
        pool: of scenes.
        size: pictures a visit.
        device: of the pool.
        seed: the run's, and a number for each network, so that both see other batches.
    """

    def __init__(self, pool: Pool, size: int, device: str, seed: tuple[int, int]) -> None:
        self._pool, self._size, self._seed = pool, size, seed
        self._generator = torch.Generator(device)
        self._lens = Lens(device)
        self._sensor = Sensor(self._generator)
        self._coloured = torch.tensor(_NEED_COLOUR, device=device)

    def at(self, step: int) -> Visit:
        """The visit of a step; with a pool that has grown since, another."""
        rng = np.random.default_rng([*self._seed, step])
        self._generator.manual_seed(int(rng.integers(1 << 62)))
        rows = self._pool.choose(self._size, rng)
        known = {name: values[rows] for name, values in self._pool.known.items()}
        warp = self._lens.warps(known["groups"], known["harmed"], self._generator)
        grey = self._sensor.grey(torch.isin(known["classes"], self._coloured))
        batch = Batch(
            self._sensor.take(look(self._pool.pixels[rows], warp), grey),
            known["classes"],
            known["parts"],
            cells(known["harmed"], warp),
            [],
        )
        facts = known["facts"].clone()
        for field in COLOUR_FIELDS:
            facts[grey, field] = UNSEEN
        draw = torch.rand(len(rows), generator=self._generator, device=rows.device)
        said = sentence(draw, grey)
        each = torch.arange(len(rows), device=rows.device)
        states = known["states"][each, said]
        return Visit(
            batch, known["kinds"], known["tokens"][each, said].long(), true_of(states, facts)
        )


def sentence(draw: torch.Tensor, grey: torch.Tensor) -> torch.Tensor:
    """Which of its sentences each picture gets, by a draw of 0 to 1; a grey one a sober one."""
    sober = OF_ANY + (draw * SOBER).long()
    return torch.where(grey, sober, (draw * (OF_ANY + SOBER)).long())
