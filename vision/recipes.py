"""The recipes that can be chosen, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import normalize

from linewatch.errors import ConfigurationError
from vision.parts import VIEW_SIZES, EncoderName, Part, Pool, blocks, columns, columns_and_stages
from vision.recipe import SEED, Block, Recipe

if TYPE_CHECKING:
    from vision.encoders import EncoderPair


@dataclass(frozen=True, slots=True)
class PartsRecipe:
    """Parts side by side: each L2-normalised, so that all weigh the same, then the whole.

    Args:
        name: with a version; a part of the fingerprint.
        parts: in the order of their columns.
    """

    name: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """The side of the largest view, in pixels."""
        return max(VIEW_SIZES[part.view] for part in self.parts)

    def blocks(self, encoders: EncoderPair) -> tuple[Block, ...]:
        """Asks the encoders, with one black picture.

        Raises:
            ConfigurationError: an encoder has fewer blocks than a part asks for.
        """
        self._check_depth(encoders)
        size = self.size
        device = encoders.dino_normalise.scale.device
        with torch.inference_mode():
            black = torch.zeros((1, 3, size, size), dtype=torch.uint8, device=device)
            found = columns(encoders, black, self.parts)
        return tuple(Block(found[part].shape[1], part.pool == "max") for part in self.parts)

    def _check_depth(self, encoders: EncoderPair) -> None:
        for part in self.parts:
            there = blocks(encoders, part.encoder)
            if -part.block > there:
                raise ConfigurationError(
                    f"recipe {self.name} wants {part}, but that encoder has {there} blocks; "
                    "set LINEWATCH_RECIPE=seed"
                )

    def __call__(self, encoders: EncoderPair, images: torch.Tensor) -> torch.Tensor:
        """Look at every view that the parts need, then join."""
        found = columns(encoders, images, self.parts)
        return join([found[part] for part in self.parts])

    def with_stages(
        self, encoders: EncoderPair, images: torch.Tensor, stages: Sequence[int]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The same; CLIP looks at the whole picture once for both."""
        found, seen = columns_and_stages(encoders, images, self.parts, stages)
        return join([found[part] for part in self.parts]), seen


def join(blocks: Sequence[torch.Tensor]) -> torch.Tensor:
    """L2-normalise each block of columns, put them side by side, L2-normalise the whole.

    Args:
        blocks: float [n, d_i] each.

    Returns:
        float32 [n, sum of d_i]; each row has length 1. Of the two embeddings it makes the seed's
        recipe, see `vision.recipe.fuse`.
    """
    return normalize(torch.cat([normalize(b.float(), dim=-1) for b in blocks], dim=-1), dim=-1)


def _parts(name: str, *more: Part) -> PartsRecipe:
    """The seed's two parts, CLIP's first so that zero-shot finds it, and more."""
    return PartsRecipe(name, (Part("clip", "embedding"), Part("dino", "embedding"), *more))


def _of(encoder: EncoderName, block: int) -> tuple[Part, ...]:
    """What the patches have in common, what stands out, and how far they differ."""
    return tuple(Part(encoder, pool, block=block) for pool in _POOLS)


_POOLS: tuple[Pool, ...] = ("mean", "max", "std")
_PATCHES = (*_of("clip", -2), *_of("dino", -1))
RECIPES: dict[str, Recipe] = {
    # what LINEWATCH_RECIPE may say; the names within carry versions and go into fingerprints
    "seed": SEED,
    "patches": _parts("patches/1", *_PATCHES),
    "pools": _parts("pools/1", *_of("clip", -1), *_of("dino", -1)),
    "surface": _parts("surface/1", *_PATCHES, *_of("clip", -3), Part("pixels", "texture")),
}


def recipe_of_version(name: str) -> Recipe | None:
    """The recipe whose name with its version is `name`, as fingerprints and manifests have it."""
    return next((recipe for recipe in RECIPES.values() if recipe.name == name), None)


def recipe_named(name: str) -> Recipe:
    """The recipe that LINEWATCH_RECIPE calls `name`.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise ConfigurationError(
            f"LINEWATCH_RECIPE: no recipe is called {name!r}; there are {', '.join(RECIPES)}"
        ) from None
