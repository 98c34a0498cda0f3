"""Writes what a run reached as the two libraries' own files, in float16."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tools.train_compact import checkpoint
from tools.train_compact.cards import write_cards
from tools.train_compact.networks import CLIP, build_clip, build_dino
from vision.weights import ABOUT_FILE, CLIP_FILES, DINO_FILES

_READABLE = 0o644  # the libraries leave what they write private
_STUDENT_PREFIX = "encoder."


def export(
    clip_checkpoint: Path,
    dino_checkpoint: Path,
    folder: Path,
    *,
    description: str,
    training: Mapping[str, object],
) -> dict[str, Any]:
    """Write `clip/`, `dinov2/` and about.json to `folder`; returns what about.json says.

    Args:
        clip_checkpoint: of `train_clip`.
        dino_checkpoint: of `train_dino`.
        folder: gets the layout that `vision.weights` describes.
        description: what surfaces say of these encoders.
        training: what else about.json says of the run.
    """
    clip_state = checkpoint.load(clip_checkpoint)
    dino_state = checkpoint.load(dino_checkpoint)
    _write_clip(clip_state["average"], folder / "clip")
    _write_dino(_encoder(dino_state["teacher"]), folder / "dinov2")
    files = [f"clip/{name}" for name in CLIP_FILES] + [f"dinov2/{name}" for name in DINO_FILES]
    for name in files:
        (folder / name).chmod(_READABLE)
    lengths = {
        name: {"minutes": round(state["seconds"] / 60, 1), "steps": state["step"]}
        for name, state in (("clip", clip_state), ("dinov2", dino_state))
    }
    about: dict[str, Any] = {
        "description": description,
        "training": {**training, **lengths},
        "sha256": {name: _sha256(folder / name) for name in files},
    }
    text = json.dumps(about, indent=1, sort_keys=True) + "\n"
    (folder / ABOUT_FILE).write_text(text, encoding="utf-8")
    write_cards(folder, about)
    return about


def _write_clip(state: dict[str, torch.Tensor], folder: Path) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model = build_clip()
    model.load_state_dict(state)
    save_file(_halved(model.state_dict()), folder / CLIP_FILES[1])
    config = {"model_cfg": CLIP, "preprocess_cfg": {}}
    text = json.dumps(config, indent=1, sort_keys=True) + "\n"
    (folder / CLIP_FILES[0]).write_text(text, encoding="utf-8")


def _write_dino(state: dict[str, torch.Tensor], folder: Path) -> None:
    model = build_dino()
    model.load_state_dict(state)
    model.half().save_pretrained(folder)


def _encoder(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(_STUDENT_PREFIX): value
        for name, value in state.items()
        if name.startswith(_STUDENT_PREFIX)
    }


def _halved(state: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in state.items()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
