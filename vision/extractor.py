"""The one way from a picture's bytes to its feature vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from linewatch.errors import ConfigurationError
from linewatch.products import ImageSize
from linewatch.settings import Settings
from vision.backends.protocol import Backend
from vision.backends.torch_eager import TorchBackend
from vision.decode import decode
from vision.encoders import EncoderPair
from vision.feature_net import FeatureNet
from vision.fingerprint import Fingerprint, space_description
from vision.loading import dino_architecture, load_clip, load_dino
from vision.preprocess import preprocess, preprocessing
from vision.recipe import Recipe
from vision.recipes import recipe_named
from vision.weights import describe, find_weights


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture ready for the encoders: uint8 [3, size, size], and the size it had, in pixels."""

    pixels: torch.Tensor
    width: int
    height: int


class FeatureExtractor:
    """Turns pictures into features with encoders that stay resident.

    Args:
        net: the networks with their recipe.
        backend: runs them.
        fingerprint: of these features.
        description: what surfaces say of the encoders.
        max_pixels: the largest picture that is decoded.
    """

    def __init__(
        self,
        net: FeatureNet,
        backend: Backend,
        *,
        fingerprint: Fingerprint,
        description: str,
        max_pixels: int,
    ) -> None:
        self.backend = backend
        self.device = backend.device
        self.fingerprint = fingerprint.hex
        self.dim = fingerprint.dim
        self.size = net.size
        self._net = net
        self._description = description
        self._max_pixels = max_pixels

    @classmethod
    def from_settings(cls, settings: Settings, *, recipe: Recipe | None = None) -> FeatureExtractor:
        """Load the encoders that the settings name. Takes seconds; do it once a process.

        Args:
            settings: name the encoders, the device and the recipe.
            recipe: another than the settings'.

        Raises:
            WeightsError: the weights cannot be had or are damaged.
            ConfigurationError: the device or the recipe does not exist.
        """
        recipe = recipe or recipe_named(settings.recipe)
        device = choose_device(settings.device)
        weights = find_weights(settings)
        clip, dino = load_clip(weights), load_dino(weights)
        net = FeatureNet(EncoderPair(clip, dino), recipe)
        fingerprint = Fingerprint(
            recipe=recipe.name,
            preprocessing=preprocessing(net.size),
            encoders={"clip": clip.architecture, "dinov2": dino_architecture(dino)},
            weights_sha256=weights.checksums(),
            dim=net.dim,
        )
        return cls(
            net,
            TorchBackend(net, device=device),
            fingerprint=fingerprint,
            description=describe(settings),
            max_pixels=settings.max_image_pixels,
        )

    def describe(self) -> str:
        """The encoders in words, for people."""
        return self._description

    def describe_space(self) -> str:
        """The encoders, and any recipe but the seed's: what a fingerprint stands for."""
        return space_description(self._description, self._net.recipe.name)

    def prepare(self, data: bytes, expected: ImageSize | None = None) -> Prepared:
        """Decode and preprocess a picture's file. CPU work; any number of threads may call it.

        Args:
            data: the whole file.
            expected: the size that the picture must have, or None for any.

        Raises:
            Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
        """
        decoded = decode(data, max_pixels=self._max_pixels, expected=expected)
        pixels = preprocess(decoded.pixels, self.size)
        return Prepared(pixels, decoded.width, decoded.height)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """The features of prepared pictures. One thread at a time should own the device.

        Args:
            batch: uint8 [n, 3, size, size], on any device.

        Returns:
            float32 [n, dim] on `device`; each row has length 1.
        """
        return self.backend.features(batch)

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """CLIP's embeddings of sentences, float32 [n, c], not normalised."""
        return self._net.encoders.embed_text(prompts)


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is the first GPU where there is one.

    Raises:
        ConfigurationError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigurationError(
            f"LINEWATCH_DEVICE: {name!r} is no device; use auto, cpu, cuda or cuda:N"
        ) from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"LINEWATCH_DEVICE: there is no {name} here ({torch.cuda.device_count()} GPUs seen); "
            "use auto or cpu"
        )
    return device
