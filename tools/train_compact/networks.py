"""The two architectures and their sizes, as their libraries configure them."""

from __future__ import annotations

from typing import Any

from tools.train_compact.families.picture import SIZE

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


def build_clip() -> Any:
    """An untrained open_clip CLIP."""
    import open_clip

    return open_clip.CLIP(**CLIP)


def build_dino() -> Any:
    """An untrained transformers `Dinov2Model`."""
    from transformers import Dinov2Config, Dinov2Model

    return Dinov2Model(Dinov2Config(**DINO, layer_norm_eps=1e-6))
