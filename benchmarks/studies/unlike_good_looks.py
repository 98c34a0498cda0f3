"""Ways to look for what is unlike good: networks, trained or not, and plain filters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from linewatch.evaluation.unlike_good import Looked
from vision.encoders import EncoderPair
from vision.patch_maps import GRID, clip_stages, patch_tokens
from vision.recipes import recipe_named

_BATCH = 32
_SIGMAS = (1.0, 2.0, 4.0, 8.0)


Look = Callable[[NDArray[np.uint8]], Looked]


def by_networks(pair: EncoderPair) -> Look:
    """The default recipe's features and the tokens of CLIP's stages."""

    def look(pixels: NDArray[np.uint8]) -> Looked:
        recipe, features, tokens = recipe_named("patches"), [], []
        with torch.inference_mode():
            for batch in torch.split(torch.from_numpy(pixels), _BATCH):
                features.append(recipe(pair, batch).numpy().astype(np.float16))
                tokens.append(patch_tokens(clip_stages(pair, batch)).numpy().astype(np.float16))
        return Looked(np.concatenate(features).astype(np.float64), np.concatenate(tokens))

    return look


def by_filters(pixels: NDArray[np.uint8]) -> Looked:
    """Differences of Gaussians at four scales: their mean and largest size at each place."""
    rows = []
    for picture in pixels.transpose(0, 2, 3, 1).astype(np.float32) / 255:
        blurred = [picture, *(cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in _SIGMAS)]
        bands = [np.abs(fine - coarse) for fine, coarse in pairwise(blurred)]
        rows.append(np.concatenate([*bands, blurred[-1]], axis=2).transpose(2, 0, 1))
    maps = torch.from_numpy(np.stack(rows))
    pools = functional.adaptive_avg_pool2d, functional.adaptive_max_pool2d
    pooled = [pool(maps, GRID) for pool in pools]
    return Looked(None, patch_tokens(pooled).numpy().astype(np.float16))
