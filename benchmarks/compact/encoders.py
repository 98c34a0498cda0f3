"""What the compact encoders are compared with, each as a way from pixels to features."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.full_weights import DINO_SMALL
from vision.encoders import EncoderPair
from vision.loading import LoadedClip
from vision.networks import load_net
from vision.recipe import fuse
from vision.weights import CLIP_MODEL, in_folder

Features = NDArray[np.float32]
_SEED = 20260101
_BATCH = 32


def shipped(folder: Path) -> EncoderPair:
    """The trained pair, through the loaders that workers use."""
    return load_net(in_folder(folder))[0].encoders


def untrained(folder: Path) -> EncoderPair:
    """Networks of the shipped ones' sizes, with the weights that the libraries start from."""
    import open_clip
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(_SEED)
    config = json.loads((folder / "clip" / "open_clip_config.json").read_text(encoding="utf-8"))
    clip = open_clip.CLIP(**config["model_cfg"])
    dino = Dinov2Model(Dinov2Config.from_json_file(folder / "dinov2" / "config.json"))
    return _pair(clip, dino)


def untrained_full_size() -> EncoderPair:
    """CLIP ViT-B/32 and DINOv2-small with the weights that the libraries start from."""
    import open_clip
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(_SEED)
    clip = open_clip.create_model(CLIP_MODEL, pretrained=None)
    return _pair(clip, Dinov2Model(Dinov2Config(**DINO_SMALL)))


def network_features(pair: EncoderPair, pixels: torch.Tensor) -> Features:
    """The seed recipe's features, float32 [n, d]."""
    with torch.inference_mode():
        rows = [fuse(*pair(batch)) for batch in pixels.split(_BATCH)]
    return np.asarray(torch.cat(rows).numpy(), np.float32)


def encoders(folder: Path) -> dict[str, Callable[[torch.Tensor], Features]]:
    """By name; the networks are built when they are used."""
    from benchmarks.classical import classical_features  # not in the process whose memory counts

    return {
        "compact": lambda pixels: network_features(shipped(folder), pixels),
        "untrained": lambda pixels: network_features(untrained(folder), pixels),
        "untrained full size": lambda pixels: network_features(untrained_full_size(), pixels),
        "HOG and colour": classical_features,
    }


def _pair(clip: Any, dino: Any) -> EncoderPair:
    return EncoderPair(LoadedClip(clip, tokenizer=None), dino)
