"""Pixels to the squares that both encoders see: cut out, resized, still 8-bit.

What is meant by each fit, `vision.framing` says. It is one function for training and for serving.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch.nn import functional

from linewatch.product_options import Polygon
from producer.contract import Reason
from vision.errors import Unjudgeable
from vision.framing import (
    CENTRE_CROP,
    FILL,
    LEAST_PIXELS,
    LONGEST_ASPECT,
    Framing,
    box,
    long_side,
    tile_starts,
)

SIZE = 224  # pixels: the side of what the encoders see in the seed's recipe

Pixels = npt.NDArray[np.uint8]


def preprocess(pixels: Pixels, size: int = SIZE, framing: Framing = CENTRE_CROP) -> torch.Tensor:
    """Bring a picture to the square that the encoders see.

    The default is what open_clip does for ViT-B/32 and the seed did for DINOv2, on uint8 instead of
    floats: the shorter side to `size` (bicubic, antialiased), then the centre. Each encoder
    subtracts its own mean on the device.

    Args:
        pixels: uint8 [height, width, 3].
        size: the side of the square, in pixels.
        framing: what part of the picture, and how.

    Returns:
        uint8 [3, size, size], contiguous; of `tiles` with more than one square
        uint8 [w, 3, size, size], from the left or from the top.

    Raises:
        Unjudgeable: wrong_size, where the region of interest has hardly a pixel.
    """
    image = torch.from_numpy(_looked_at(pixels, framing)).permute(2, 0, 1)
    if framing.fit == "crop":
        return _middle(_resized(image, _short_side_at(size, *image.shape[1:])), size).contiguous()
    if framing.fit == "squash":
        return _resized(image, [size, size]).contiguous()
    return _padded(image, size) if framing.fit == "pad" else _tiled(image, size)


def _looked_at(pixels: Pixels, framing: Framing) -> Pixels:
    """What lies in the region of interest."""
    roi = framing.roi
    if roi is not None:
        height, width = pixels.shape[:2]
        left, top, right, bottom = box(roi, width, height)
        if min(right - left, bottom - top) < LEAST_PIXELS:
            raise Unjudgeable(
                Reason.WRONG_SIZE,
                f"the product's roi is {right - left}×{bottom - top} of {width}×{height} pixels; "
                f"{LEAST_PIXELS}×{LEAST_PIXELS} are the least that is looked at",
            )
        pixels = pixels[top:bottom, left:right]
        if isinstance(roi, tuple):
            inside = _inside(roi, width, height)
            pixels = np.where(inside[:, :, None], pixels, np.asarray(FILL, np.uint8))
    return _without_far_ends(pixels) if framing.fit == "crop" else pixels


@lru_cache(maxsize=4)  # 50 MB of the largest picture; to draw it anew is a tenth of the resize
def _inside(polygon: Polygon, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Which pixels of a polygon's bounding box lie in it."""
    left, top, right, bottom = box(polygon, width, height)
    mask = Image.new("1", (right - left, bottom - top))
    corners = [(x * width - left - 0.5, y * height - top - 0.5) for x, y in polygon]
    ImageDraw.Draw(mask).polygon(corners, fill=1)
    return np.asarray(mask)


def _padded(image: torch.Tensor, size: int) -> torch.Tensor:
    longer = max(image.shape[1:])
    height, width = (max(1, round(size * side / longer)) for side in image.shape[1:])
    square = torch.tensor(FILL, dtype=torch.uint8)[:, None, None].repeat(1, size, size)
    top, left = (size - height) // 2, (size - width) // 2
    square[:, top : top + height, left : left + width] = _resized(image, [height, width])
    return square


def _tiled(image: torch.Tensor, size: int) -> torch.Tensor:
    height, width = image.shape[1:]
    length = long_side(max(height, width), min(height, width), size)
    upright = height > width
    whole = _resized(image, [length, size] if upright else [size, length])
    starts = tile_starts(length, size)
    if len(starts) == 1:
        return whole.contiguous()
    tiles = [whole.narrow(1 if upright else 2, start, size) for start in starts]
    return torch.stack(tiles)


def _short_side_at(size: int, height: int, width: int) -> list[int]:
    short = min(height, width)
    return [size * side // short for side in (height, width)]


def _resized(image: torch.Tensor, sides: list[int]) -> torch.Tensor:
    """What `torchvision.transforms.v2.functional.resize` gives, bit for bit.

    Importing torchvision brings a compiler and SymPy, also where no encoder is loaded.
    """
    if list(image.shape[1:]) == sides:
        return image
    one = image[None]
    # With the stride of a batch of one PyTorch sees channels last, and need not pack them anew.
    one = one.as_strided(one.shape, (one.numel(), *one.stride()[1:]))
    resized = functional.interpolate(
        one, size=sides, mode="bicubic", align_corners=False, antialias=True
    )
    return resized[0]


def _middle(image: torch.Tensor, size: int) -> torch.Tensor:
    top, left = (round((side - size) / 2) for side in image.shape[1:])
    return image[:, top : top + size, left : left + size]


def _without_far_ends(pixels: Pixels) -> Pixels:
    # A picture 1 pixel high and 100 million wide would otherwise be resized to 224 × 22 billion.
    height, width = pixels.shape[:2]
    longest = LONGEST_ASPECT * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : top + longest, left : left + longest]
