"""What the compact encoders are compared with, each as a way from pixels to features."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vision.encoders import EncoderPair
from vision.loading import LoadedClip, load_clip, load_dino
from vision.recipe import fuse
from vision.weights import in_folder

Features = NDArray[np.float32]
_SEED = 20260101
_BATCH = 32


def shipped(folder: Path) -> EncoderPair:
    """The trained pair, through the loaders that workers use."""
    weights = in_folder(folder)
    return EncoderPair(load_clip(weights), load_dino(weights))


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
    clip = open_clip.create_model("ViT-B-32-quickgelu", pretrained=None)
    dino = Dinov2Model(
        Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518)
    )
    return _pair(clip, dino)


def network_features(pair: EncoderPair, pixels: torch.Tensor) -> Features:
    """The seed recipe's features, float32 [n, d]."""
    with torch.inference_mode():
        rows = [fuse(*pair(batch)) for batch in pixels.split(_BATCH)]
    return np.asarray(torch.cat(rows).numpy(), np.float32)


def classical_features(pixels: torch.Tensor) -> Features:
    """HOG on 112x112 grey pixels and a colour histogram of 8 bins a channel, each of length 1."""
    rows = []
    for picture in pixels.permute(0, 2, 3, 1).contiguous().numpy():
        grey = cv2.cvtColor(cv2.resize(picture, (112, 112)), cv2.COLOR_RGB2GRAY)
        bins = [np.bincount(picture[..., c].ravel() // 32, minlength=8) for c in range(3)]
        joint = np.bincount((picture // 64 @ np.array([16, 4, 1])).ravel(), minlength=64)
        colour = np.concatenate([*bins, joint]).astype(np.float32)
        rows.append(np.concatenate([_unit(_hog(grey.astype(np.float32))), _unit(colour)]))
    return np.asarray(rows, np.float32)


def _hog(grey: NDArray[np.float32], cell: int = 16, bins: int = 9) -> NDArray[np.float32]:
    """Histograms of oriented gradients (Dalal and Triggs, CVPR 2005).

    Unsigned orientations shared between two neighbouring bins, blocks of 2x2 cells with clipped L2
    norm. OpenCV 5 has it no more, and its value here is to be simple.
    """
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)
    turn = np.arctan2(down, across) % np.pi * bins / np.pi - 0.5
    lower = np.floor(turn).astype(int)
    share, strength = turn - lower, np.hypot(across, down)
    row, column = np.indices(grey.shape) // cell
    count = grey.shape[0] // cell
    cells = np.zeros((count, count, bins))
    np.add.at(cells, (row, column, lower % bins), (1 - share) * strength)
    np.add.at(cells, (row, column, (lower + 1) % bins), share * strength)
    corners = [cells[i : count - 1 + i, j : count - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, axis=-1)
    blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-6), 0.2)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-6
    return np.asarray(blocks.ravel(), np.float32)


def encoders(folder: Path) -> dict[str, Callable[[torch.Tensor], Features]]:
    """By name; the networks are built when they are used."""
    return {
        "compact": lambda pixels: network_features(shipped(folder), pixels),
        "untrained": lambda pixels: network_features(untrained(folder), pixels),
        "untrained full size": lambda pixels: network_features(untrained_full_size(), pixels),
        "HOG and colour": classical_features,
    }


def _pair(clip: Any, dino: Any) -> EncoderPair:
    return EncoderPair(LoadedClip(clip, tokenizer=None), dino)


def _unit(vector: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9), np.float32)
