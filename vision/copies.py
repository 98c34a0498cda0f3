"""Copies of a prepared picture that show the same part: what a product's symmetry allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from vision.copy_names import copy_names

_DARKER, _BRIGHTER = 0.8, 1.25


def copies_of(pixels: torch.Tensor, names: Sequence[str]) -> Mapping[str, torch.Tensor]:
    """The copies with these names, contiguous, each like `pixels`.

    Args:
        pixels: a prepared picture, uint8 [..., size, size].
        names: from `copy_names`.

    Raises:
        ValueError: there is no such copy, or the picture is no square.
    """
    if pixels.shape[-1] != pixels.shape[-2]:
        raise ValueError(f"copies are made of squares, not of {tuple(pixels.shape)}")
    return {name: _copy(pixels, name) for name in names}


def _copy(pixels: torch.Tensor, name: str) -> torch.Tensor:
    if name in ("darker", "brighter"):
        gain = _DARKER if name == "darker" else _BRIGHTER
        return (pixels.float() * gain).round().clamp(0, 255).to(pixels.dtype)
    if name not in copy_names(("flip", "rotate90")):
        raise ValueError(f"there is no copy {name!r}")
    mirrored = pixels.flip(-1) if name.startswith("mirrored") else pixels
    quarters = int(name.rsplit(" ", 1)[1]) // 90 if "turned" in name else 0
    return torch.rot90(mirrored, quarters, (-2, -1)).contiguous()
