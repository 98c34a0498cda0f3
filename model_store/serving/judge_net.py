"""Features and a product's probabilities from one module, for export."""

from __future__ import annotations

import torch
from torch import nn

from model_store.serving.apply import AffineHead


class JudgeNet(nn.Module):
    """A network with a product's head behind it.

    Args:
        net: uint8 [n, 3, size, size] to float32 features [n, d].
        head: of the product.
    """

    def __init__(self, net: nn.Module, head: AffineHead) -> None:
        super().__init__()
        self.net = net
        self.head = head
        self.eval()

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features, float32 [n, d], and probabilities, float32 [n, k]."""
        features = self.net(images)
        return features, self.head.logits(features).softmax(dim=-1).float()
