"""Supervised contrastive learning: what is of one kind lies together (Khosla et al. 2020)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

HEAT = 0.1
_PROJECTED = 64


class Contrast(nn.Module):
    """Asks of vectors whether they are of one kind, through a head that is dropped afterwards.

    Args:
        dim: the vectors' length.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(dim, 256), nn.GELU(), nn.Linear(256, _PROJECTED))

    def forward(self, vectors: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        """The loss, a scalar. Rows of `vectors` [n, dim] whose kind is negative have none."""
        there = kinds >= 0
        return supcon(functional.normalize(self.head(vectors[there]), dim=-1), kinds[there])


def supcon(unit: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
    """The loss that its authors call L_out (their equation 2), of vectors of length 1.

    Args:
        unit: [n, dim].
        kinds: int64 [n].

    Returns:
        The mean over the vectors that have another of their kind; 0 where none has.
    """
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    alike = (kinds[:, None] == kinds[None]) & ~itself
    logits = (unit @ unit.T / HEAT).masked_fill(itself, -1e4)
    said = (logits.log_softmax(1) * alike).sum(1) if len(unit) else unit.sum(1)
    others = alike.sum(1)
    anchors = others > 0
    return -(said / others.clamp(min=1)).sum() / anchors.sum().clamp(min=1)


def pooled(cells: torch.Tensor) -> torch.Tensor:
    """Mean and deviation over a map [n, channels, rows, columns], as recipes pool it: [n, 2c]."""
    flat = cells.flatten(2)
    return torch.cat([flat.mean(2), (flat.var(2) + 1e-6).sqrt()], 1)
