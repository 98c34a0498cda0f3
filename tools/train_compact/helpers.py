"""Heads that help an encoder learn and are dropped afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from tools.train_compact.batches import Batch
from tools.train_compact.families import CLASSES

_GRID = 6  # the small picture's side
_SCALE = 16.0


class Helpers(nn.Module):
    """Asks an embedding what is wrong and what was seen, and feature maps where.

    - The class, and the single defects where several are combined.
    - A 6x6 picture of what was seen: it keeps colours and places in the embedding, which classes
      alone would discard.
    - Of each cell of the feature maps, whether it is harmed, and how. The drawn parts have flawless
      twins, so the truth is known cell by cell: it teaches fine defects many times faster than
      one label a picture does.

    Args:
        dim: the embedding's length.
        maps: the channels of each feature map that `where` is asked of.
    """

    def __init__(self, dim: int, maps: Sequence[int]) -> None:
        super().__init__()
        self.centres = nn.Parameter(functional.normalize(torch.randn(len(CLASSES), dim), dim=-1))
        self.parts = nn.Linear(dim, len(CLASSES))
        self.sketch = nn.Linear(dim, 3 * _GRID * _GRID)
        self.where = nn.ModuleList(nn.Conv2d(depth, len(CLASSES) + 1, 1) for depth in maps)

    def forward(
        self, embedding: torch.Tensor, maps: Sequence[torch.Tensor], batch: Batch
    ) -> dict[str, torch.Tensor]:
        """The losses, by name, and `right`, the share of pictures that are named right."""
        unit = functional.normalize(embedding, dim=-1)
        logits = _SCALE * unit @ functional.normalize(self.centres, dim=-1).T
        stretched = unit * unit.shape[-1] ** 0.5
        seen = functional.adaptive_avg_pool2d(batch.pixels.float() / 64 - 2, _GRID).flatten(1)
        found = functional.binary_cross_entropy_with_logits(
            self.parts(stretched), batch.parts.float(), reduction="none"
        )
        located = [
            _where_loss(head(cells), batch) for head, cells in zip(self.where, maps, strict=True)
        ]
        return {
            "naming": functional.cross_entropy(logits, batch.classes, label_smoothing=0.02),
            "parts": found.sum(1).mean(),
            "sketch": 0.5 * functional.mse_loss(self.sketch(stretched), seen),
            "where": torch.stack(located).mean(),
            "right": (logits.detach().argmax(1) == batch.classes).float().mean(),
        }


def _where_loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Harmed cells should say one of the picture's defects, the others "nothing" (the last index).

    Both kinds of cells weigh alike, however few are harmed.
    """
    harmed = functional.adaptive_max_pool2d(batch.harmed[:, None].float(), logits.shape[-2:])[:, 0]
    said = logits.log_softmax(1)
    wrong = said[:, :-1].masked_fill(~batch.parts[:, :, None, None], -1e4)
    harm = -(wrong.logsumexp(1) * harmed).sum() / (harmed.sum() + 1)
    whole = 1 - harmed
    return harm - (said[:, -1] * whole).sum() / (whole.sum() + 1)
