"""How two embeddings become one feature vector: the seed's recipe."""

from __future__ import annotations

import torch
from torch.nn.functional import normalize


def fuse(clip: torch.Tensor, dino: torch.Tensor) -> torch.Tensor:
    """L2-normalise each embedding, concatenate, L2-normalise the whole.

    Args:
        clip: float [n, c], CLIP's projected image embedding.
        dino: float [n, d], DINOv2's class token.

    Returns:
        float32 [n, c + d]; each row has length 1.
    """
    both = torch.cat([normalize(clip.float(), dim=-1), normalize(dino.float(), dim=-1)], dim=-1)
    return normalize(both, dim=-1)
