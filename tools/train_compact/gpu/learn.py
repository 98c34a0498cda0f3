"""A pupil visits a pool, step after step, until its minutes are over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from tools.train_compact.clock import Clock
from tools.train_compact.gpu.pool import Pool
from tools.train_compact.gpu.pupils import Pupil
from tools.train_compact.gpu.visit import Visits

_WEIGHT_DECAY = 0.05
_LONGEST_GRADIENT = 2.0
_GROW = 20  # steps between two looks for new scenes


def learn(
    pupil: Pupil,
    pool: Pool,
    checkpoint: Path,
    *,
    minutes: float,
    seed: int,
    batch: int,
    device: str,
    every_s: float,
) -> None:
    """Train for `minutes`, or go on with the run that `checkpoint` holds.

    A step is decided by the seed, its number and the pool: what was lost since the last checkpoint
    is done again, with no state of random numbers to keep.

    Args:
        pupil: the network.
        pool: of scenes; taken up as they are drawn.
        checkpoint: written every `every_s` seconds and at the end.
        minutes: of work, over all interruptions.
        seed: of the run.
        batch: pictures a step.
        device: where all of it is.
        every_s: seconds.
    """
    parameters = [p for part in pupil.parts.values() for p in part.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=pupil.peak, weight_decay=_WEIGHT_DECAY, fused=True)
    clock = Clock(minutes, checkpoint, {**pupil.parts, "optimiser": optimiser}, every_s)
    number = sum(pupil.name.encode())  # both networks see other batches
    visits = Visits(pool, batch, device, (seed, number))
    goes_on = clock.progress < 1
    while goes_on:
        torch.manual_seed(int(np.random.default_rng([seed, number, clock.step]).integers(1 << 62)))
        for group in optimiser.param_groups:
            group["lr"] = pupil.peak * clock.rate
        losses = pupil.losses(visits.at(clock.step))
        right = losses.pop("right")
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(parameters, _LONGEST_GRADIENT)
        optimiser.step()
        pupil.follow(1 - 0.01 * (1 - clock.progress) - 0.0005)
        figures = torch.stack([*losses.values(), right]).detach().tolist()
        goes_on = clock.tick(**dict(zip([*losses, "right"], figures, strict=True)))
        if clock.step % _GROW == 0:
            pool.grow()
