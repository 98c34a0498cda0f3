"""The one way from a picture's bytes to its feature vector, in one feature space or in several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import torch

from linewatch.errors import ConfigurationError
from linewatch.products import ImageSize
from linewatch.settings import Settings
from vision.decode import decode_pixels, read_header
from vision.fingerprint import space_description
from vision.framing import CENTRE_CROP, Framing
from vision.memory import MEGABYTE, DecodeMemory
from vision.networks import NetworkLoader, Networks
from vision.preprocess import preprocess
from vision.recipe import Recipe
from vision.recipes import recipe_named, recipe_of_version
from vision.windows import pooled, squares

_PART = 8  # squares that are computed at once at least, however few pictures they are of


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture ready for the encoders, and the size it had, in pixels.

    `pixels` are uint8 [3, size, size], or [w, 3, size, size] where it is seen in w squares. `flaw`
    and `advice` are the decoder's, see `vision.decode.Decoded`.
    """

    pixels: torch.Tensor
    width: int
    height: int
    flaw: str | None = None
    advice: str | None = None


@dataclass(slots=True, eq=False)
class _Family:
    """What the spaces of one process share: the encoders, and the memory for decoding."""

    loader: NetworkLoader
    max_pixels: int
    memory: DecodeMemory
    networks: dict[str, Networks] = field(default_factory=dict)  # by recipe
    spaces: dict[tuple[str, Framing], FeatureExtractor] = field(default_factory=dict)
    making: Lock = field(default_factory=Lock)


class FeatureExtractor:
    """Turns pictures into features of one space, with encoders that stay resident.

    A space is a recipe and a framing of the same encoders; `space` gives the others. Spaces of one
    recipe share a backend, so that their squares can be computed in one batch.

    Args:
        networks: make the features of squares.
        framing: how a picture becomes squares.
        family: what is shared with the other spaces.
    """

    def __init__(self, networks: Networks, framing: Framing, family: _Family) -> None:
        self.backend = networks.backend
        self.device = networks.backend.device
        self.framing = framing
        self.recipe = networks.recipe.name
        self.size = networks.recipe.size
        made = networks.fingerprint.framed(framing, self.size)
        self.fingerprint = made.hex
        self.reference = made.in_precision("").hex
        self.dim = made.dim
        self._networks = networks
        self._family = family

    @classmethod
    def from_settings(cls, settings: Settings, *, recipe: Recipe | None = None) -> FeatureExtractor:
        """Load the encoders that the settings name. Takes seconds; do it once a process.

        Args:
            settings: name the encoders, the device, the backend and the recipe.
            recipe: another than the settings'.

        Returns:
            The space of that recipe with 0.1's framing, the centre crop.

        Raises:
            WeightsError: the weights, or the networks optimised from them, cannot be had, are
                damaged, or do not belong to each other.
            ConfigurationError: the device or the recipe does not exist, or device, backend and
                precision do not go together.
        """
        recipe = recipe or recipe_named(settings.recipe)
        memory = DecodeMemory(settings.decode_memory_mb * MEGABYTE)
        family = _Family(NetworkLoader(settings), settings.max_image_pixels, memory)
        networks = family.networks[recipe.name] = family.loader.load(recipe)
        made = family.spaces[recipe.name, CENTRE_CROP] = cls(networks, CENTRE_CROP, family)
        return made

    def space(self, framing: Framing, recipe: str | None = None) -> FeatureExtractor:
        """The extractor for another space of the same encoders; made once.

        Another framing costs nothing; another recipe loads for seconds what the backend needs.

        Args:
            framing: its.
            recipe: its name with the version; None: this one's.

        Raises:
            ConfigurationError: this version has no such recipe, or it does not go with the encoders
                or the backend.
            WeightsError: as for `from_settings`.
        """
        recipe, family = recipe or self.recipe, self._family
        with family.making:
            if (recipe, framing) not in family.spaces:
                if recipe not in family.networks:
                    known = recipe_of_version(recipe)
                    if known is None:
                        raise ConfigurationError(f"this Linewatch has no recipe {recipe!r:.80}")
                    family.networks[recipe] = family.loader.load(known)
                made = type(self)(family.networks[recipe], framing, family)
                family.spaces[recipe, framing] = made
            return family.spaces[recipe, framing]

    def describe(self) -> str:
        """The encoders in words, for people."""
        return self._networks.description

    def describe_space(self) -> str:
        """The encoders and, where they are not the seed's, recipe and framing in words."""
        return space_description(self.describe(), self.recipe, self.framing)

    def prepare(
        self, data: bytes, expected: ImageSize | None = None, *, bits: int | None = None
    ) -> Prepared:
        """Decode and preprocess a picture's file. CPU work; any number of threads may call it.

        It waits until the memory that the file's header asks for is free.

        Args:
            data: the whole file.
            expected: the size that the picture must have, or None for any.
            bits: that carry the value of a 16-bit sample; None: as the file says, or all.

        Raises:
            Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
        """
        return self.prepare_for([self], data, expected, bits=bits)[0]

    def prepare_for(
        self,
        spaces: Sequence[FeatureExtractor],
        data: bytes,
        expected: ImageSize | None = None,
        *,
        bits: int | None = None,
    ) -> list[Prepared]:
        """As `prepare`, for several spaces; the file is decoded once."""
        family = self._family
        header = read_header(data, max_pixels=family.max_pixels, expected=expected)
        with family.memory.reserve(header.memory(len(data))):
            decoded = decode_pixels(data, header, expected=expected, bits=bits)
            about = (decoded.width, decoded.height, decoded.flaw, decoded.advice)
            return [
                Prepared(preprocess(decoded.pixels, space.size, space.framing), *about)
                for space in spaces
            ]

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """The features of squares. One thread at a time should own the device.

        Args:
            batch: uint8 [n, 3, size, size], on any device.

        Returns:
            float32 [n, dim] on `device`; each row has length 1. NaN or infinities in a row say
            that the networks failed on that picture.

        Raises:
            ValueError: these are no prepared pictures.
        """
        shape = (3, self.size, self.size)
        if batch.dtype != torch.uint8 or batch.shape[1:] != shape:
            raise ValueError(
                f"prepared pictures are uint8 {shape}, not {batch.dtype} {batch.shape}"
            )
        if not len(batch):
            return torch.zeros((0, self.dim), device=self.device)
        return self.backend.features(batch)

    def features_of(self, pictures: Sequence[torch.Tensor]) -> torch.Tensor:
        """The features of prepared pictures, one row each, however many squares they have.

        They may be prepared for any space of this recipe: what squares they are makes the space.

        Args:
            pictures: `Prepared.pixels`; one or more.
        """
        batch, counts = squares(pictures)
        if len(batch) == len(pictures):
            return self.features(batch)
        # Tiles must not make a batch much larger than what the backend is made for.
        most = max(_PART, len(pictures))
        parts = [self.features(part) for part in torch.split(batch, most)]
        return pooled(torch.cat(parts), counts, self._networks.blocks)

    @property
    def gives_tokens(self) -> bool:
        """Whether `features_and_tokens_of` may be called: not every backend can."""
        return self.backend.gives_tokens

    def features_and_tokens_of(
        self, pictures: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As `features_of`, and tokens of the places of every square, in their order.

        Args:
            pictures: `Prepared.pixels`; one or more.

        Returns:
            float32 [len(pictures), dim], and float32 [squares, p, c] with rows of length 1.

        Raises:
            ConfigurationError: the backend gives none.
        """
        batch, counts = squares(pictures)
        most = max(_PART, len(pictures))
        parts = [self.backend.with_tokens(part) for part in torch.split(batch, most)]
        features, tokens = (torch.cat(both) for both in zip(*parts, strict=True))
        return pooled(features, counts, self._networks.blocks), tokens

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """CLIP's embeddings of sentences, float32 [n, c], not normalised."""
        return self._networks.encoders().embed_text(prompts)
