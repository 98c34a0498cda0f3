"""CLIP and DINOv2 side by side on one device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from vision.folding import fold_batch_norms
from vision.loading import LoadedClip

if TYPE_CHECKING:
    from vision.backends.protocol import Precision

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
DINO_MEAN, DINO_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Normalise(nn.Module):
    """uint8 [n, 3, h, w] to floats with a given mean and deviation: one multiply, one add.

    Args:
        mean: per channel, of pixels in [0, 1].
        std: likewise.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        means, deviations = torch.tensor(mean), torch.tensor(std)
        self.register_buffer("scale", (1 / (255 * deviations))[:, None, None], persistent=False)
        self.register_buffer("shift", (-means / deviations)[:, None, None], persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise in float32."""
        return images.float() * self.scale + self.shift


class EncoderPair(nn.Module):
    """Both encoders, resident and in evaluation mode.

    Args:
        clip: open_clip's model with its tokenizer.
        dino: a transformers `Dinov2Model`.
    """

    def __init__(self, clip: LoadedClip, dino: Any) -> None:
        super().__init__()
        self.clip = clip.model
        self.dino = dino
        self._tokenizer = clip.tokenizer
        self.clip_normalise = Normalise(CLIP_MEAN, CLIP_STD)
        self.dino_normalise = Normalise(DINO_MEAN, DINO_STD)
        self._dtype = torch.float32
        self._clip_layout = torch.contiguous_format
        self.requires_grad_(False).eval()
        if hasattr(self.clip.visual, "attnpool"):  # a ResNet tower, which is mostly convolutions
            fold_batch_norms(self.clip.visual)
            self._clip_layout = torch.channels_last
            self.clip.visual.to(memory_format=torch.channels_last)

    def cast(self, precision: Precision) -> None:
        """Put the networks' arithmetic into `precision`: float32, bfloat16 or float16.

        Embeddings come out as float32 in any case.
        """
        self._dtype = _DTYPES[precision]
        self.clip.to(self._dtype)
        self.dino.to(self._dtype)

    @property
    def dims(self) -> tuple[int, int]:
        """The lengths of CLIP's and DINOv2's embeddings."""
        return int(self.clip.visual.output_dim), int(self.dino.config.hidden_size)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Embed preprocessed pictures.

        Args:
            images: uint8 [n, 3, 224, 224] on the encoders' device.

        Returns:
            float32 [n, c], CLIP's projected embedding, and float32 [n, d], DINOv2's class token
            after its last layer norm. Neither is normalised: that is the recipe's affair.
        """
        clip = self.clip.encode_image(self.as_clip_sees(images))
        return clip.float(), self.dino_token(images)

    def dino_token(self, images: torch.Tensor) -> torch.Tensor:
        """DINOv2's class token after its last layer norm, float32 [n, d]."""
        token: torch.Tensor = self.dino(self.as_dino_sees(images)).pooler_output
        return token.float()

    def clip_stages(
        self, images: torch.Tensor, depth: int
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """CLIP's projected embedding, float32 [n, c], and what its last `depth` stages gave.

        Args:
            images: uint8 [n, 3, 224, 224] on the encoders' device.
            depth: how many stages, or blocks of a transformer.

        Returns:
            The stages are float32 [n, c_i, h_i, w_i], the last one last.
        """
        found = self.clip.visual.forward_intermediates(
            self.as_clip_sees(images), indices=depth, normalize_intermediates=True
        )
        stages = [stage.float() for stage in found["image_intermediates"]]
        return found["image_features"].float(), stages

    def as_clip_sees(self, images: torch.Tensor) -> torch.Tensor:
        """Pixels as CLIP was trained on them, in the networks' precision."""
        normalised: torch.Tensor = self.clip_normalise(images)
        return normalised.to(self._dtype).contiguous(memory_format=self._clip_layout)

    def as_dino_sees(self, images: torch.Tensor) -> torch.Tensor:
        """Pixels as DINOv2 was trained on them, in the networks' precision."""
        normalised: torch.Tensor = self.dino_normalise(images)
        return normalised.to(self._dtype)

    @torch.inference_mode()
    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """CLIP's text embeddings, float32 [n, c], not normalised."""
        tokens = self._tokenizer(list(prompts)).to(self.clip_normalise.scale.device)
        embedded: torch.Tensor = self.clip.encode_text(tokens)
        return embedded.float()
