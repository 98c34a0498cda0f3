"""What the memory of patches costs beside the encoders, picture by picture, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch

from benchmarks.compact.encoders import untrained_full_size
from model_store.novelty.patch_memory import TOKENS
from vision.encoders import EncoderPair
from vision.patch_maps import clip_stages, patch_tokens
from vision.recipe import SEED

_BATCH, _ROUNDS = 16, 3


def cost_rows(compact: EncoderPair) -> list[dict[str, object]]:
    """Milliseconds a picture, torch in float32 on one thread, rounds taken in turn."""
    return [
        _costs("compact", compact),
        _costs("full size, untrained weights", untrained_full_size()),
    ]


def _costs(name: str, pair: EncoderPair) -> dict[str, object]:
    pixels = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (_BATCH, 3, 224, 224), np.uint8)
    )
    with torch.inference_mode():
        stages = clip_stages(pair, pixels)
        width = patch_tokens(stages).shape[-1]
        known = torch.nn.functional.normalize(torch.randn(TOKENS, width), dim=-1)

        def remember() -> None:
            (1 - torch.nn.functional.linear(patch_tokens(stages), known).amax(dim=-1)).sum()

        encoders, memory = [], []
        for _ in range(_ROUNDS):
            encoders.append(_ms(lambda: SEED(pair, pixels)))
            memory.append(_ms(remember))
    share = median(m / e for m, e in zip(memory, encoders, strict=True))
    return {
        "cost": name,
        "encoders_ms": round(median(encoders), 2),
        "memory_ms": round(median(memory), 2),
        "share": round(share, 4),
    }


def _ms(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000 / _BATCH
