"""The places of a picture as CLIP sees them on its way: by-products of the pass that embeds it.

What the first stages see is fine enough to say where something is, and general enough to know
good parts' variety. Only tensor operations, so that every backend can trace them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from vision.parts import blocks
from vision.patch_stages import GRID, STAGES

if TYPE_CHECKING:
    from vision.encoders import EncoderPair


def clip_stages(
    encoders: EncoderPair, images: torch.Tensor, stages: Sequence[int] = STAGES
) -> list[torch.Tensor]:
    """What CLIP's stages give of prepared pictures, float [n, c_i, h_i, w_i] each.

    Args:
        encoders: both networks.
        images: uint8 [n, 3, 224, 224] on their device.
        stages: counted from the last, -1.

    Raises:
        ValueError: this CLIP has fewer stages.
    """
    there = blocks(encoders, "clip")
    if not stages or any(not -there <= stage <= -1 for stage in stages):
        asked = ", ".join(map(str, stages)) or "none"
        raise ValueError(f"this CLIP's stages are -{there} to -1, not {asked}")
    _, maps = encoders.clip_stages(images, depth=-min(stages))
    return [maps[stage] for stage in stages]


def patch_tokens(stages: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stages side by side on one grid, each place averaged with its eight neighbours.

    Args:
        stages: float [n, c_i, h_i, w_i], of any sizes.

    Returns:
        float32 [n, g², sum of c_i]; rows of length 1, row by row of the picture. g is 14, or the
        side of the finest stage where that is less.
    """
    grid = min(GRID, max(stage.shape[-1] for stage in stages))
    joined = torch.cat([functional.normalize(_on_grid(stage, grid), dim=1) for stage in stages], 1)
    near = functional.avg_pool2d(joined, 3, stride=1, padding=1, count_include_pad=False)
    return functional.normalize(near.flatten(2).transpose(1, 2), dim=-1)


def _on_grid(stage: torch.Tensor, grid: int) -> torch.Tensor:
    side = int(stage.shape[-1])
    if side < grid:
        return functional.interpolate(stage.float(), (grid, grid), mode="bilinear")
    if side % grid:
        return functional.adaptive_avg_pool2d(stage.float(), grid)
    # The same as adaptive pooling, which OpenVINO computes one number at a time: it took longer
    # than all other steps to the tokens together.
    return stage.float() if side == grid else functional.avg_pool2d(stage.float(), side // grid)
