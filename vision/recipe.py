"""How both encoders make one feature vector: the recipe. Today there is the seed's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch.nn.functional import normalize

from vision.fingerprint import RECIPE
from vision.preprocess import SIZE

if TYPE_CHECKING:
    from vision.encoders import EncoderPair


class Block(NamedTuple):
    """Columns that have length 1 before the whole vector has.

    Attributes:
        width: how many.
        largest: whether they are maxima: then the largest of several squares counts, not the mean.
    """

    width: int
    largest: bool = False


class Recipe(Protocol):
    """What decides the pictures' size and what is made of the encoders' outputs.

    Only tensor operations may lie between `images` and the features: every backend traces them.
    """

    @property
    def name(self) -> str:
        """Name and version; a part of the fingerprint."""
        ...

    @property
    def size(self) -> int:
        """The side of the square that the encoders see, in pixels."""
        ...

    def blocks(self, encoders: EncoderPair) -> tuple[Block, ...]:
        """The blocks of a feature vector, in the order of their columns."""
        ...

    def __call__(self, encoders: EncoderPair, images: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim], rows of length 1, from uint8 [n, 3, size, size]."""
        ...

    def with_stages(
        self, encoders: EncoderPair, images: torch.Tensor, stages: Sequence[int]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The same, and what CLIP's stages gave on the way: float32 [n, c_i, h_i, w_i] each.

        Args:
            encoders, images: as above.
            stages: counted from the last, -1.
        """
        ...


@dataclass(frozen=True, slots=True)
class SeedRecipe:
    """CLIP's embedding beside DINOv2's class token, see `fuse`."""

    name: str = RECIPE
    size: int = SIZE

    def blocks(self, encoders: EncoderPair) -> tuple[Block, ...]:
        """Both embeddings."""
        return tuple(Block(width) for width in encoders.dims)

    def __call__(self, encoders: EncoderPair, images: torch.Tensor) -> torch.Tensor:
        """Embed with both, then fuse."""
        return fuse(*encoders(images))

    def with_stages(
        self, encoders: EncoderPair, images: torch.Tensor, stages: Sequence[int]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The same; CLIP is asked once for both."""
        clip, seen = encoders.clip_stages(images, depth=-min(stages))
        return fuse(clip, encoders.dino_token(images)), [seen[stage] for stage in stages]


SEED = SeedRecipe()


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
