"""Pixels to the square that both encoders see: one resize, one centre crop, still 8-bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

SIZE = 224  # pixels: the side of what the encoders see in the seed's recipe
_LONGEST_ASPECT = 4  # beyond this, the ends that the centre crop drops anyway are cut off first


def preprocessing(size: int = SIZE) -> dict[str, object]:
    """What `preprocess` does, in words that go into the fingerprint."""
    return {
        "resize_shorter_side": size,
        "interpolation": "bicubic",
        "antialias": True,
        "centre_crop": size,
        "longest_aspect": _LONGEST_ASPECT,
    }


def preprocess(pixels: npt.NDArray[np.uint8], size: int = SIZE) -> torch.Tensor:
    """Resize the shorter side to `size` (bicubic, antialiased), then crop the centre.

    It is what open_clip does for ViT-B/32 and the seed did for DINOv2, on uint8 instead of floats;
    each encoder subtracts its own mean on the device.

    Args:
        pixels: uint8 [height, width, 3].
        size: the side of the square, in pixels.

    Returns:
        uint8 [3, size, size], contiguous.
    """
    image = torch.from_numpy(_without_far_ends(pixels)).permute(2, 0, 1)
    resized = transforms.resize(
        image, [size], interpolation=InterpolationMode.BICUBIC, antialias=True
    )
    cropped: torch.Tensor = transforms.center_crop(resized, [size, size])
    return cropped.contiguous()


def _without_far_ends(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    # A picture 1 pixel high and 100 million wide would otherwise be resized to 224 × 22 billion.
    height, width = pixels.shape[:2]
    longest = _LONGEST_ASPECT * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : top + longest, left : left + longest]
