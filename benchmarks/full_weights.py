"""Full-size encoders with seeded weights: the arithmetic of the real ones, without a download."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from vision.weights import ABOUT_FILE, CLIP_FILES, CLIP_MODEL, DINO_FILES

DESCRIPTION = "CLIP ViT-B/32 and DINOv2 ViT-S/14, full size, seeded weights (for speed alone)"
_SEED = 20260101
DINO_SMALL = {
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "patch_size": 14,
    "image_size": 518,
}


def seeded_full_weights(folder: Path) -> Path:
    """A weights folder (`LINEWATCH_WEIGHTS_DIR`) that holds `full`; written once."""
    target = folder / "full"
    if not (target / ABOUT_FILE).exists():
        shutil.rmtree(target, ignore_errors=True)
        _write(target)
    return folder


def _write(folder: Path) -> None:
    import open_clip
    from safetensors.torch import save_file
    from transformers import Dinov2Config, Dinov2Model

    for part in ("clip", "dinov2"):
        (folder / part).mkdir(parents=True)
    torch.manual_seed(_SEED)
    clip = open_clip.create_model(CLIP_MODEL, pretrained=None)
    tensors = {name: value.contiguous() for name, value in clip.state_dict().items()}
    save_file(tensors, folder / "clip" / CLIP_FILES[1])
    config = {"model_cfg": open_clip.get_model_config(CLIP_MODEL), "preprocess_cfg": {}}
    _write_json(folder / "clip" / CLIP_FILES[0], config)
    dino = Dinov2Model(Dinov2Config(**DINO_SMALL))
    dino.save_pretrained(folder / "dinov2")
    assert all((folder / "dinov2" / name).exists() for name in DINO_FILES)
    _write_json(folder / ABOUT_FILE, {"description": DESCRIPTION})  # last: it says all is there


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")
