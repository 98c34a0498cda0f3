"""Writes the compact stand-ins: small networks of the two architectures, untrained.

They let everything run where the real weights cannot be had. Each tensor is drawn from a bit stream
that NumPy guarantees, seeded by the tensor's name, so that every machine writes the same weights.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from linewatch.errors import WeightsError
from vision.preprocess import SIZE
from vision.weights import ABOUT_FILE, CLIP_FILES

log = logging.getLogger(__name__)

_SEED = 20260101
_KEPT = ("ln_", "norm", "layer_scale", "logit_scale", "mask_token")  # constants by themselves
_DESCRIPTION = "compact stand-ins (untrained)"
_CLIP = {
    "embed_dim": 128,
    "quick_gelu": True,
    "vision_cfg": {
        "image_size": SIZE, "layers": 4, "width": 128, "head_width": 32, "patch_size": 32
    },
    "text_cfg": {
        "context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2
    },
}  # fmt: skip
_DINO = {
    "hidden_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "patch_size": 14,
    "image_size": SIZE,
}


def write_compact(folder: Path) -> None:
    """Write both checkpoints to `folder`, all at once: it is never seen half-written.

    When two processes do it at the same moment, one folder wins; both hold the same.

    Raises:
        WeightsError: `folder` cannot be written.
    """
    log.info("writing compact stand-ins to %s", folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write_clip(draft / "clip")
            _write_dino(draft / "dinov2")
            _write_json(draft / ABOUT_FILE, {"description": _DESCRIPTION})
            _publish(draft)
            _move(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise WeightsError(
            f"cannot write the compact encoders to {folder} ({error}); "
            "point LINEWATCH_WEIGHTS_DIR at a folder that can be written"
        ) from None


def _write_clip(folder: Path) -> None:
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir()
    model = open_clip.CLIP(**_CLIP)
    _fill(model, "clip")
    save_file(model.state_dict(), folder / CLIP_FILES[1])
    _write_json(folder / CLIP_FILES[0], {"model_cfg": _CLIP, "preprocess_cfg": {}})


def _write_dino(folder: Path) -> None:
    from transformers import Dinov2Config, Dinov2Model
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model = Dinov2Model(Dinov2Config(**_DINO))
    _fill(model, "dinov2")
    model.save_pretrained(folder)


def _fill(model: Any, name: str) -> None:
    """Draw every weight with a variance of 1/fan-in; biases are 0, norms and scales stay 1."""
    with torch.no_grad():
        for key, tensor in model.named_parameters():
            if key.endswith("bias"):
                tensor.zero_()
            elif not any(part in key for part in _KEPT):
                bound = math.sqrt(3 / _fan_in(key, tensor))
                tensor.copy_(_uniform(f"{name}/{key}", tensor.shape, bound))


def _fan_in(key: str, tensor: torch.Tensor) -> int:
    if tensor.ndim == 1 or "token" in key or ("embedding" in key and tensor.ndim == 2):
        return 4 * tensor.shape[-1]  # added to the stream as they are: keep them in the background
    return math.prod(tensor.shape[1:])


def _uniform(name: str, shape: torch.Size, bound: float) -> torch.Tensor:
    bits = np.random.PCG64([_SEED, zlib.crc32(name.encode())]).random_raw(math.prod(shape))
    unit = (bits >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
    return torch.from_numpy((unit * 2 - 1) * np.float32(bound)).reshape(shape)


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")


def _publish(folder: Path) -> None:
    """Make all of it readable by every user (what writes it leaves it private) and durable."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        log.info("%s was written by another process at the same moment", folder)
