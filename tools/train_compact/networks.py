"""The two architectures and their sizes, as their libraries configure them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.train_compact.families.picture import SIZE
from vision.weights import CLIP_FILES

# A ResNet tower as in OpenAI's CLIP RN50, narrower and shorter: convolutions learn fine defects
# from far fewer pictures than a transformer does.
CLIP: dict[str, Any] = {
    "embed_dim": 256,
    "quick_gelu": True,
    "vision_cfg": {"image_size": SIZE, "layers": [1, 2, 2, 1], "width": 16},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}
DINO: dict[str, Any] = {
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "patch_size": 28,
    "image_size": SIZE,
}


def build_clip(start: Path | None = None) -> Any:
    """An open_clip CLIP, untrained or with the weights in the folder `start`."""
    import open_clip
    from safetensors.torch import load_file

    model = open_clip.CLIP(**CLIP)
    if start is not None:
        model.load_state_dict(load_file(start / "clip" / CLIP_FILES[1]))
    return model


def build_dino(start: Path | None = None) -> Any:
    """A transformers `Dinov2Model`, untrained or with the weights in the folder `start`."""
    from transformers import Dinov2Config, Dinov2Model

    if start is not None:
        return Dinov2Model.from_pretrained(start / "dinov2").float()
    return Dinov2Model(Dinov2Config(**DINO, layer_norm_eps=1e-6))
