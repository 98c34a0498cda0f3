"""The whole computation from 8-bit pictures to features, as one module."""

from __future__ import annotations

import torch
from torch import nn

from vision.encoders import EncoderPair
from vision.patch_maps import patch_tokens
from vision.patch_stages import STAGES
from vision.recipe import SEED, Block, Recipe


class FeatureNet(nn.Module):
    """Normalisation, both encoders and the recipe's fusion.

    Backends treat it as a black box: they run it, compile it, trace it or export it, and know
    nothing of what is inside.

    Args:
        encoders: both networks.
        recipe: what is made of them.
    """

    def __init__(self, encoders: EncoderPair, recipe: Recipe = SEED) -> None:
        super().__init__()
        self.encoders = encoders
        self.recipe = recipe
        self.eval()

    @property
    def size(self) -> int:
        """The side of the pictures, in pixels."""
        return self.recipe.size

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What a feature vector consists of."""
        return self.recipe.blocks(self.encoders)

    @property
    def dim(self) -> int:
        """The length of a feature vector."""
        return sum(block.width for block in self.blocks)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The features of prepared pictures.

        Args:
            images: uint8 [n, 3, size, size] on the networks' device.

        Returns:
            float32 [n, dim]; each row has length 1. A row with NaN or infinities in it says that
            the networks failed on that picture.
        """
        return self.recipe(self.encoders, images)

    def with_tokens(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The features, and tokens of the pictures' places: by-products of CLIP's pass.

        Args:
            images: as for `forward`.

        Returns:
            The features, and float32 [n, p, c] with rows of length 1, see
            `vision.patch_maps.patch_tokens`.
        """
        features, stages = self.recipe.with_stages(self.encoders, images, STAGES)
        return features, patch_tokens(stages)
