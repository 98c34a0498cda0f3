"""A head on the device: one affine layer and a softmax; and the distance from what it has seen."""

from __future__ import annotations

import torch
from torch import nn

from model_store.head import Head
from model_store.novelty import Novelty


class AffineHead(nn.Module):
    """Judges batches of features.

    The few thousand multiplications are done in float64 (see `Head.affine`); the cost is not
    noticeable beside the encoders'.

    Args:
        head: what it computes.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, head: Head) -> None:
        super().__init__()
        weight, bias = head.affine()
        self.classes = head.classes
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("bias", torch.from_numpy(bias))

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """float64 [n, k] from float [n, d] on the same device."""
        return torch.nn.functional.linear(features.double(), self.weight, self.bias)

    @torch.inference_mode()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Class probabilities, float32 [n, k], in the order of `classes`."""
        return self.logits(features).softmax(dim=-1).float()


class NoveltyMeter(nn.Module):
    """Measures how far features lie from the nearest class, see `model_store.novelty`.

    Args:
        novelty: what it computes.
    """

    whitening: torch.Tensor
    centres: torch.Tensor

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        self.register_buffer("whitening", torch.from_numpy(novelty.whitening))
        self.register_buffer("centres", torch.from_numpy(novelty.centres))

    @torch.inference_mode()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Distances, float32 [n], from float [n, d] on the same device."""
        whitened = torch.nn.functional.linear(features.float(), self.whitening)
        return (whitened[:, None, :] - self.centres).square().mean(dim=-1).amin(dim=-1)
