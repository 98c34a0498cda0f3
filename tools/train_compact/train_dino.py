"""Trains DINOv2 by self-distillation (DINO, Caron et al. 2021), with labels to help.

A student sees large and small crops; a teacher, its running mean, sees the large ones; the student
learns to say of a crop what the teacher says of the whole. Sinkhorn centring and the KoLeo term are
those of DINOv2 (Oquab et al. 2023).
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tools.train_compact.average import follow
from tools.train_compact.batches import Batches
from tools.train_compact.cache import Cache
from tools.train_compact.clock import Clock
from tools.train_compact.helpers import Helpers
from tools.train_compact.networks import DINO, build_dino
from vision.encoders import DINO_MEAN, DINO_STD, Normalise

_PROTOTYPES = 512
_STUDENT_HEAT, _TEACHER_HEAT = 0.1, 0.05
_SMALL = 112  # pixels: the side of a small crop
_SMALL_CROPS = 1
_WEIGHT_DECAY = 0.05
_AGREEING, _KOLEO = 0.3, 0.05  # the weights of the two losses


class Head(nn.Module):
    """Projects an embedding onto prototypes of length 1."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, 256), nn.GELU(), nn.Linear(256, 96))
        self.prototypes = nn.Parameter(torch.randn(_PROTOTYPES, 96) * 0.1)

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """Similarities, float [n, prototypes]."""
        projected = functional.normalize(self.layers(embedding), dim=-1)
        return projected @ functional.normalize(self.prototypes, dim=-1).T


class Student(nn.Module):
    """The encoder with its head."""

    def __init__(self, start: Path | None) -> None:
        super().__init__()
        self.encoder = build_dino(start)
        self.head = Head(DINO["hidden_size"])

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Class tokens [n, d], similarities [n, prototypes], and patches [n, d, rows, columns]."""
        tokens = self.encoder(images)
        rows = images.shape[-1] // DINO["patch_size"]
        patches = tokens.last_hidden_state[:, 1:].transpose(1, 2).unflatten(2, (rows, rows))
        return tokens.pooler_output, self.head(tokens.pooler_output), patches


def train_dino(
    cache: Cache,
    checkpoint: Path,
    *,
    minutes: float,
    seed: int,
    batch: int,
    peak: float = 1e-3,
    device: str = "cpu",
    start: Path | None = None,
) -> None:
    """Train for `minutes`, or go on with the run that `checkpoint` holds.

    `start` is a folder of weights to begin with, else they are random.
    """
    torch.manual_seed(seed)
    student = Student(start).to(device).train()
    teacher = copy.deepcopy(student).requires_grad_(False)
    helpers = Helpers(DINO["hidden_size"], [DINO["hidden_size"]]).to(device)
    parameters = [*student.parameters(), *helpers.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=peak, weight_decay=_WEIGHT_DECAY, fused=True)
    parts = {"student": student, "teacher": teacher, "helpers": helpers, "optimiser": optimiser}
    clock = Clock(minutes, checkpoint, parts)
    normalise = Normalise(DINO_MEAN, DINO_STD).to(device)
    batches, goes_on = Batches(cache, batch), True
    while goes_on:
        drawn = batches.draw(np.random.default_rng([seed, 2, clock.step])).to(device)
        for group in optimiser.param_groups:
            group["lr"] = peak * clock.rate
        token, patches, agreeing = distil(student, teacher, normalise(drawn.pixels))
        helped = helpers(token, [patches], drawn)
        right = helped.pop("right")
        optimiser.zero_grad(set_to_none=True)
        torch.stack([agreeing, *helped.values()]).sum().backward()
        nn.utils.clip_grad_norm_(parameters, 2.0)
        optimiser.step()
        follow(teacher, student, 1 - 0.01 * (1 - clock.progress) - 0.0005)
        helped |= {"agreeing": agreeing, "right": right}
        goes_on = clock.tick(**{name: value.item() for name, value in helped.items()})
        if clock.step % 100 == 0:
            batches.grow()


def distil(
    student: Student, teacher: Student, whole: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Show both the pictures, normalised, and the student crops of them.

    Returns:
        The student's class tokens [n, d], its patches [n, d, rows, columns], and the loss: how far
        the student is from what the teacher says, and how crowded its tokens are.
    """
    with torch.autocast(whole.device.type, torch.bfloat16):
        with torch.no_grad():
            said = teacher(whole)[1]
        token, seen, patches = student(_relit(whole))
        crops = [student(_crop(_relit(whole)))[1] for _ in range(_SMALL_CROPS)]
    token, patches = token.float(), patches.float()
    target = _sinkhorn(said.float() / _TEACHER_HEAT)
    losses = [_cross_entropy(target, view.float()) for view in (seen, *crops)]
    agreeing = _AGREEING * torch.stack(losses).sum() / (1 + _SMALL_CROPS)
    return token, patches, agreeing + _KOLEO * _koleo(token)


def _relit(images: torch.Tensor) -> torch.Tensor:
    shape = (len(images), 1, 1, 1)
    gain = 1 + 0.2 * torch.randn(shape, device=images.device)
    return images * gain + 0.2 * torch.randn(shape, device=images.device)


def _crop(images: torch.Tensor) -> torch.Tensor:
    """The same random window of every picture, at a small size."""
    side = int(torch.randint(90, 180, ()))
    top, left = torch.randint(0, images.shape[-1] - side, (2,)).tolist()
    window = images[..., top : top + side, left : left + side]
    return functional.interpolate(window, _SMALL, mode="bilinear", antialias=True)


def _cross_entropy(target: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    return -(target * (seen / _STUDENT_HEAT).log_softmax(-1)).sum(-1).mean()


def _sinkhorn(scores: torch.Tensor) -> torch.Tensor:
    """Assignments that use all prototypes alike, rows adding up to 1."""
    share = (scores - scores.max()).exp()
    for _ in range(3):
        share = share / share.sum(0, keepdim=True) / share.shape[1]
        share = share / share.sum(1, keepdim=True) / share.shape[0]
    return share * share.shape[0]


def _koleo(token: torch.Tensor) -> torch.Tensor:
    """Spread the embeddings: minus the log distance to each one's nearest neighbour."""
    unit = functional.normalize(token, dim=-1)
    with torch.no_grad():
        nearest = (unit @ unit.T).fill_diagonal_(-1).argmax(1)
    return -((unit - unit[nearest]).norm(dim=-1) + 1e-4).log().mean()
