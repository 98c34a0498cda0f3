"""The one way from a picture's bytes to its feature vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from linewatch.products import ImageSize
from linewatch.settings import Settings
from vision import optimized
from vision.backends.build import build
from vision.backends.choice import choose
from vision.backends.protocol import Backend
from vision.decode import decode_pixels, read_header
from vision.encoders import EncoderPair
from vision.feature_net import FeatureNet
from vision.fingerprint import Fingerprint, space_description
from vision.loading import dino_architecture, load_clip, load_dino
from vision.memory import MEGABYTE, DecodeMemory
from vision.preprocess import preprocess, preprocessing
from vision.recipe import SEED, Recipe
from vision.recipes import recipe_named
from vision.weights import Weights, describe, find_weights


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture ready for the encoders: uint8 [3, size, size], and the size it had, in pixels.

    `flaw` and `advice` are the decoder's, see `vision.decode.Decoded`.
    """

    pixels: torch.Tensor
    width: int
    height: int
    flaw: str | None = None
    advice: str | None = None


class FeatureExtractor:
    """Turns pictures into features with encoders that stay resident.

    Args:
        backend: runs the networks.
        fingerprint: of these features.
        recipe: name and version of what fuses the encoders' outputs.
        size: the side of prepared pictures, in pixels.
        encoders: gives the networks themselves, for text; a backend that has its own copy does not
            keep torch's in memory.
        description: what surfaces say of the encoders.
        max_pixels: the largest picture that is decoded.
        memory: what all threads that decode may hold at once.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        fingerprint: Fingerprint,
        recipe: str,
        size: int,
        encoders: Callable[[], EncoderPair],
        description: str,
        max_pixels: int,
        memory: DecodeMemory,
    ) -> None:
        self.backend = backend
        self.device = backend.device
        self.fingerprint = fingerprint.hex
        self.reference = replace(fingerprint, numerics="").hex
        self.dim = fingerprint.dim
        self.size = size
        self.recipe = recipe
        self._encoders = encoders
        self._description = description
        self._max_pixels = max_pixels
        self._memory = memory

    @classmethod
    def from_settings(cls, settings: Settings, *, recipe: Recipe | None = None) -> FeatureExtractor:
        """Load the encoders that the settings name. Takes seconds; do it once a process.

        Args:
            settings: name the encoders, the device, the backend and the recipe.
            recipe: another than the settings'.

        Raises:
            WeightsError: the weights, or the networks optimised from them, cannot be had, are
                damaged, or do not belong to each other.
            ConfigurationError: the device or the recipe does not exist, or device, backend and
                precision do not go together.
        """
        recipe = recipe or recipe_named(settings.recipe)
        weights = find_weights(settings)
        net, fingerprint = load_net(weights, recipe)
        about = optimized.about_of(optimized.folder_of(settings, "float32"))
        converted = about is not None and about.source == fingerprint.hex
        choice = choose(settings, converted=converted)
        built = build(choice, net, settings, source=fingerprint.hex)
        if choice.backend == "torch":
            resident = net.encoders
            encoders = lambda: resident  # noqa: E731
        else:
            encoders = lru_cache(maxsize=1)(lambda: load_net(weights, recipe)[0].encoders)
        words = [describe(settings), f"{choice.backend} {choice.precision}"]
        return cls(
            built.backend,
            fingerprint=replace(fingerprint, numerics=built.numerics),
            recipe=recipe.name,
            size=net.size,
            encoders=encoders,
            description=", ".join(words if built.numerics else words[:1]),
            max_pixels=settings.max_image_pixels,
            memory=DecodeMemory(settings.decode_memory_mb * MEGABYTE),
        )

    def describe(self) -> str:
        """The encoders in words, for people."""
        return self._description

    def describe_space(self) -> str:
        """The encoders and, unless it is the seed's, the recipe in words."""
        return space_description(self.describe(), self.recipe)

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
        header = read_header(data, max_pixels=self._max_pixels, expected=expected)
        with self._memory.reserve(header.memory(len(data))):
            decoded = decode_pixels(data, header, expected=expected, bits=bits)
            pixels = preprocess(decoded.pixels, self.size)
            return Prepared(pixels, decoded.width, decoded.height, decoded.flaw, decoded.advice)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """The features of prepared pictures. One thread at a time should own the device.

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

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """CLIP's embeddings of sentences, float32 [n, c], not normalised."""
        return self._encoders().embed_text(prompts)


def load_net(weights: Weights, recipe: Recipe = SEED) -> tuple[FeatureNet, Fingerprint]:
    """The networks in float32 on the CPU, and the fingerprint of their features.

    Raises:
        WeightsError: the weights are damaged.
    """
    clip, dino = load_clip(weights), load_dino(weights)
    net = FeatureNet(EncoderPair(clip, dino), recipe)
    fingerprint = Fingerprint(
        recipe=recipe.name,
        preprocessing=preprocessing(net.size),
        encoders={"clip": clip.architecture, "dinov2": dino_architecture(dino)},
        weights_sha256=weights.checksums(),
        dim=net.dim,
    )
    return net, fingerprint
