from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import torch

from vision.fingerprint import RECIPE, Fingerprint
from vision.recipe import fuse

FINGERPRINT = Fingerprint(
    recipe=RECIPE,
    preprocessing={"centre_crop": 224, "interpolation": "bicubic"},
    encoders={"clip": {"heads": 12}, "dinov2": {"heads": 6}},
    weights_sha256={"clip": "a" * 64, "dinov2": "b" * 64},
    dim=896,
)


def test_fuse_is_the_seeds_recipe() -> None:
    rng = np.random.default_rng(0)
    clip, dino = rng.normal(size=(5, 7)), rng.normal(size=(5, 3)) * 100
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (clip, dino)]
    both = np.concatenate(unit, axis=1)
    expected = both / np.linalg.norm(both, axis=1, keepdims=True)
    result = fuse(torch.from_numpy(clip), torch.from_numpy(dino))
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-6)


def test_each_encoder_weighs_the_same() -> None:
    result = fuse(torch.full((1, 4), 1000.0), torch.full((1, 2), 0.001))
    assert torch.allclose(result[:, :4].norm(), result[:, 4:].norm())


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    script = (
        "from vision.fingerprint import Fingerprint, RECIPE\n"
        "print(Fingerprint(dim=896, weights_sha256={'dinov2': 'b'*64, 'clip': 'a'*64},\n"
        "  encoders={'dinov2': {'heads': 6}, 'clip': {'heads': 12}}, recipe=RECIPE,\n"
        "  preprocessing={'interpolation': 'bicubic', 'centre_crop': 224}).hex)"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == FINGERPRINT.hex
    assert len(FINGERPRINT.hex) == 64


def test_everything_that_changes_features_changes_the_fingerprint() -> None:
    others = [
        replace(FINGERPRINT, recipe="another/1"),
        replace(FINGERPRINT, preprocessing={"centre_crop": 518, "interpolation": "bicubic"}),
        replace(FINGERPRINT, encoders={"clip": {"heads": 6}, "dinov2": {"heads": 6}}),
        replace(FINGERPRINT, weights_sha256={"clip": "b" * 64, "dinov2": "a" * 64}),
        replace(FINGERPRINT, dim=895),
    ]
    assert len({FINGERPRINT.hex, *(other.hex for other in others)}) == 6
