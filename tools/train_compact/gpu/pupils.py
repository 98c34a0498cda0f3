"""The two networks with the heads that help them learn here, and what they are asked."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from tools.train_compact.average import follow
from tools.train_compact.gpu.supcon import Contrast, pooled
from tools.train_compact.gpu.visit import Visit
from tools.train_compact.helpers import Helpers
from tools.train_compact.networks import CLIP, DINO, build_clip
from tools.train_compact.train_clip import MAPS, contrast, embed
from tools.train_compact.train_dino import Student, distil
from vision.encoders import CLIP_MEAN, CLIP_STD, DINO_MEAN, DINO_STD, Normalise

_KINDS = 0.5  # the weight of telling kinds of ground apart


class Pupil(Protocol):
    """A network that learns.

    Attributes:
        name: as its checkpoint is called.
        peak: its highest learning rate.
        parts: what a checkpoint holds.
    """

    name: str
    peak: float
    parts: dict[str, nn.Module]

    def losses(self, visit: Visit) -> dict[str, torch.Tensor]:
        """What it is to lessen, by name, and `right`, the share of pictures named right."""
        ...

    def follow(self, keep: float) -> None:
        """Move the mean of its weights by the share 1 - `keep` towards them."""
        ...


class ClipPupil:
    """CLIP, and the running mean that is exported.

    Args:
        device: where it learns.
        start: a folder of weights to begin with; None: random ones.
    """

    name, peak = "clip", 2e-3

    def __init__(self, device: str, start: Path | None) -> None:
        self._model: Any = build_clip(start).to(device, memory_format=torch.channels_last)
        self._model.train()
        self._average = copy.deepcopy(self._model).requires_grad_(False)
        self._helpers = Helpers(CLIP["embed_dim"], MAPS).to(device)
        self._contrasts = nn.ModuleList(Contrast(n) for n in (CLIP["embed_dim"], 2 * MAPS[0]))
        self._contrasts.to(device)
        self._normalise = Normalise(CLIP_MEAN, CLIP_STD).to(device)
        self.parts: dict[str, nn.Module] = {
            "model": self._model,
            "average": self._average,
            "helpers": self._helpers,
            "contrasts": self._contrasts,
        }

    def losses(self, visit: Visit) -> dict[str, torch.Tensor]:
        """Matching sentences, the helpers' questions, and kinds from embedding and middle."""
        with torch.no_grad():  # bounds the temperature, as CLIP does
            self._model.logit_scale.clamp_(0, np.log(50))
        pixels = visit.batch.pixels
        images = self._normalise(pixels).contiguous(memory_format=torch.channels_last)
        with torch.autocast(pixels.device.type, torch.bfloat16):
            image, maps = embed(self._model.visual, images)
        image, maps = image.float(), [cells.float() for cells in maps]
        text = self._model.encode_text(visit.tokens)
        vectors = (image, pooled(maps[0]))
        told = [ask(v, visit.kinds) for ask, v in zip(self._contrasts, vectors, strict=True)]
        return {
            **self._helpers(image, maps, visit.batch),
            "matching": contrast(image, text, self._model.logit_scale, visit.truth),
            "kinds": _KINDS * torch.stack(told).mean(),
        }

    def follow(self, keep: float) -> None:
        """See `Pupil`."""
        follow(self._average, self._model, keep)


class DinoPupil:
    """DINOv2's student, and the teacher that is exported.

    Args:
        device: where it learns.
        start: a folder of weights to begin with; None: random ones.
    """

    name, peak = "dinov2", 1e-3

    def __init__(self, device: str, start: Path | None) -> None:
        dim = DINO["hidden_size"]
        self._student = Student(start).to(device).train()
        self._teacher = copy.deepcopy(self._student).requires_grad_(False)
        self._helpers = Helpers(dim, [dim]).to(device)
        self._contrasts = nn.ModuleList(Contrast(n) for n in (dim, 2 * dim)).to(device)
        self._normalise = Normalise(DINO_MEAN, DINO_STD).to(device)
        self.parts: dict[str, nn.Module] = {
            "student": self._student,
            "teacher": self._teacher,
            "helpers": self._helpers,
            "contrasts": self._contrasts,
        }

    def losses(self, visit: Visit) -> dict[str, torch.Tensor]:
        """Agreeing with the teacher, the helpers' questions, and kinds from token and patches."""
        token, patches, agreeing = distil(
            self._student, self._teacher, self._normalise(visit.batch.pixels)
        )
        vectors = (token, pooled(patches))
        told = [ask(v, visit.kinds) for ask, v in zip(self._contrasts, vectors, strict=True)]
        return {
            **self._helpers(token, [patches], visit.batch),
            "agreeing": agreeing,
            "kinds": _KINDS * torch.stack(told).mean(),
        }

    def follow(self, keep: float) -> None:
        """See `Pupil`."""
        follow(self._teacher, self._student, keep)
