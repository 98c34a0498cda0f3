"""What a recipe's networks compute for one picture, counted, so that no noise is in it."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from vision.encoders import EncoderPair
from vision.parts import VIEW_SIZES, Part, columns


def flops(encoders: EncoderPair, parts: tuple[Part, ...]) -> int:
    """Floating-point operations of one picture, counted by PyTorch as it runs."""
    size = max(VIEW_SIZES[part.view] for part in parts)
    black = torch.zeros((1, 3, size, size), dtype=torch.uint8)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        columns(encoders, black, parts)
    return int(counter.get_total_flops())
