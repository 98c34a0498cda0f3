"""The running mean of a network's weights: steadier than the last step's."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def follow(mean: nn.Module, model: nn.Module, keep: float) -> None:
    """Move `mean`, in place, by the share 1 - `keep` towards `model`."""
    pairs = zip(
        [*mean.parameters(), *mean.buffers()], [*model.parameters(), *model.buffers()], strict=True
    )
    for old, new in pairs:
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)  # a batch norm's count of batches
