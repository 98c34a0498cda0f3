"""Builds the two encoders from their files, with the libraries that define them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from linewatch.errors import WeightsError
from vision.preprocess import SIZE
from vision.weights import Weights


@dataclass(frozen=True, slots=True, eq=False)
class LoadedClip:
    """open_clip's model and its tokenizer, which needs no network."""

    model: Any
    tokenizer: Any

    @property
    def architecture(self) -> dict[str, object]:
        """What changes the features and is not in the weights."""
        visual = self.model.visual
        name = type(visual).__name__
        if hasattr(visual, "attnpool"):  # a ResNet tower, as in CLIP RN50
            return {"class": name, "heads": visual.attnpool.num_heads, "activation": "relu"}
        return {
            "class": name,
            "patch": list(visual.patch_size),
            "heads": visual.transformer.resblocks[0].attn.num_heads,
            "activation": "quick_gelu",
            "pool": visual.pool_type,
        }


def load_clip(weights: Weights) -> LoadedClip:
    """CLIP, with QuickGELU always: OpenAI's weights were trained with it.

    Raises:
        WeightsError: the files are damaged, or describe something other than a CLIP for 224 pixels.
    """
    import open_clip

    local = weights.clip_model.startswith("local-dir:")  # and brings its own checkpoint
    try:
        model = open_clip.create_model(
            weights.clip_model,
            pretrained=None if local else str(weights.clip_checkpoint),
            force_quick_gelu=True,
            require_pretrained=True,
        )
        tokenizer = open_clip.get_tokenizer(weights.clip_model)
    except ImportError:
        raise
    except Exception as error:  # the loaders raise whatever the damage provokes
        raise _unusable("CLIP", weights.clip_checkpoint, error) from None
    size = model.visual.image_size  # a ResNet tower's is one number
    if size not in (SIZE, (SIZE, SIZE)):
        raise WeightsError(f"{weights.clip_checkpoint} is not for {SIZE}×{SIZE} pixels")
    return LoadedClip(model, tokenizer)


def load_dino(weights: Weights) -> Any:
    """DINOv2, a transformers `Dinov2Model`.

    Raises:
        WeightsError: the files are damaged, or lack a part of the network.
    """
    from transformers import Dinov2Model
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # a worker's log is no place for one
    try:
        model, loaded = Dinov2Model.from_pretrained(
            weights.dino_folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except ImportError:
        raise
    except Exception as error:  # as above
        raise _unusable("DINOv2", weights.dino_folder, error) from None
    wrong = {*loaded["missing_keys"], *map(str, loaded["mismatched_keys"])}
    if wrong:  # transformers would leave these parts random, with a warning
        raise WeightsError(f"{weights.dino_folder} lacks weights for {sorted(wrong)[0]}")
    return model.float()  # whatever precision the file has


def dino_architecture(model: Any) -> dict[str, object]:
    """What changes DINOv2's features and is not in its weights."""
    config = model.config
    return {
        "class": type(model).__name__,
        "patch": config.patch_size,
        "heads": config.num_attention_heads,
        "activation": config.hidden_act,
        "layer_norm_eps": config.layer_norm_eps,
    }


def _unusable(name: str, place: object, error: Exception) -> WeightsError:
    cause = f"{type(error).__name__}: {error}".splitlines()[0]
    return WeightsError(
        f"{name} cannot be loaded from {place} ({cause:.200}); replace that folder's files"
    )
