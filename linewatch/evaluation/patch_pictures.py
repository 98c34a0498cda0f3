"""Picture files as the rules against parts unlike good see them, and where they are unlike good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from linewatch.evaluation.unlike_good import Looked
from quality.arrays import Floats
from vision.decode import decode
from vision.errors import Unjudgeable
from vision.feature_net import FeatureNet
from vision.framing import Framing
from vision.patch_maps import clip_stages, patch_tokens
from vision.preprocess import SIZE, preprocess

_BATCH = 16
_RED = (230, 30, 30)
_STRONGEST = 0.75  # of the red over a picture
Pixels = NDArray[np.uint8]


def read(paths: Sequence[Path], max_pixels: int) -> tuple[Pixels, list[int], list[str]]:
    """Pictures squashed to the encoders' square; nothing is cropped away.

    Returns:
        uint8 [m, 3, 224, 224]; which of `paths` they are; words on those that cannot be read.
    """
    pixels, kept, unread = [], [], []
    for index, path in enumerate(paths):
        try:
            picture = decode(path.read_bytes(), max_pixels=max_pixels).pixels
            pixels.append(preprocess(picture, SIZE, Framing("squash")).numpy())
            kept.append(index)
        except (OSError, Unjudgeable) as error:
            unread.append(f"{path}: {getattr(error, 'strerror', None) or error}")
    empty = np.empty((0, 3, SIZE, SIZE), np.uint8)
    return np.stack(pixels) if pixels else empty, kept, unread


def look(
    net: FeatureNet,
    pixels: Pixels,
    stages: Sequence[int],
    progress: Callable[[int], None] = lambda done: None,
) -> Looked:
    """Features of whole pictures and tokens of their places.

    Args:
        net: of a recipe of 224 pixels.
        pixels: uint8 [n, 3, 224, 224].
        stages: of CLIP, whose tokens are wanted.
        progress: called with the number of pictures done since the last call.

    Raises:
        ValueError: this CLIP has no such stage.
    """
    features, tokens = [], []
    with torch.inference_mode():
        for batch in torch.split(torch.from_numpy(pixels), _BATCH):
            features.append(net(batch).numpy().astype(np.float16))
            seen = clip_stages(net.encoders, batch, stages)
            tokens.append(patch_tokens(seen).numpy().astype(np.float16))
            progress(len(batch))
    return Looked(np.concatenate(features).astype(np.float64), np.concatenate(tokens))


def shown(pixels: Pixels, places: Floats, border: float) -> Image.Image:
    """A picture, red where it is unlike good: from the border on, the reddest where it is most so.

    Args:
        pixels: uint8 [3, s, s].
        places: float64 [g²], from `model_store.novelty.patch_memory.PatchMemory.maps`.
        border: of a part's score.
    """
    grid = round(len(places) ** 0.5)
    most = max(float(places.max()), 1.5 * border)
    strength = np.clip((places - border) / (most - border), 0, 1).reshape(grid, grid)
    small = Image.fromarray((255 * _STRONGEST * strength).astype(np.uint8))
    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    mask = small.resize(picture.size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", picture.size, _RED), picture, mask)
