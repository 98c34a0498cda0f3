"""The one way from a picture's bytes to its feature vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from linewatch.errors import ConfigurationError
from linewatch.products import ImageSize
from linewatch.settings import Settings
from vision.decode import decode
from vision.encoders import EncoderPair, Precision
from vision.fingerprint import RECIPE, Fingerprint
from vision.loading import dino_architecture, load_clip, load_dino
from vision.preprocess import PREPROCESSING, preprocess
from vision.recipe import fuse
from vision.weights import describe, find_weights


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture ready for the encoders: uint8 [3, 224, 224], and the size it had, in pixels."""

    pixels: torch.Tensor
    width: int
    height: int


class FeatureExtractor:
    """Turns pictures into features with encoders that stay resident.

    Args:
        encoders: both networks.
        fingerprint: of these encoders' features.
        description: what surfaces say of the encoders.
        device: where the encoders are put.
        max_pixels: the largest picture that is decoded.
    """

    def __init__(
        self,
        encoders: EncoderPair,
        *,
        fingerprint: Fingerprint,
        description: str,
        device: torch.device,
        max_pixels: int,
    ) -> None:
        self.device = device
        self.fingerprint = fingerprint.hex
        self.dim = fingerprint.dim
        self._encoders = encoders.to(device)
        self._description = description
        self._max_pixels = max_pixels

    @classmethod
    def from_settings(
        cls, settings: Settings, *, precision: Precision = "float32"
    ) -> FeatureExtractor:
        """Load the encoders that the settings name. Takes seconds; do it once a process.

        Raises:
            WeightsError: the weights cannot be had or are damaged.
            ConfigurationError: the device does not exist.
        """
        device = choose_device(settings.device)
        weights = find_weights(settings)
        clip, dino = load_clip(weights), load_dino(weights)
        encoders = EncoderPair(clip, dino, precision=precision)
        fingerprint = Fingerprint(
            recipe=RECIPE,
            preprocessing=PREPROCESSING,
            encoders={"clip": clip.architecture, "dinov2": dino_architecture(dino)},
            weights_sha256=weights.checksums(),
            dim=sum(encoders.dims),
        )
        return cls(
            encoders,
            fingerprint=fingerprint,
            description=describe(settings),
            device=device,
            max_pixels=settings.max_image_pixels,
        )

    def describe(self) -> str:
        """The encoders in words, for people."""
        return self._description

    def prepare(self, data: bytes, expected: ImageSize | None = None) -> Prepared:
        """Decode and preprocess a picture's file. CPU work; any number of threads may call it.

        Args:
            data: the whole file.
            expected: the size that the picture must have, or None for any.

        Raises:
            Unjudgeable: not_an_image, corrupt, too_large or wrong_size.
        """
        decoded = decode(data, max_pixels=self._max_pixels, expected=expected)
        return Prepared(preprocess(decoded.pixels), decoded.width, decoded.height)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """The features of prepared pictures. One thread at a time should own the device.

        Args:
            batch: uint8 [n, 3, 224, 224], on any device.

        Returns:
            float32 [n, dim] on `device`; each row has length 1.
        """
        with torch.inference_mode():
            return fuse(*self._encoders(batch.to(self.device, non_blocking=True)))

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """CLIP's embeddings of sentences, float32 [n, c], not normalised."""
        return self._encoders.embed_text(prompts)


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
