"""Converts and quantises the encoders for OpenVINO, measured before anything is kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import torch

from linewatch.errors import WeightsError
from linewatch.settings import Settings
from vision import optimized
from vision.backends.openvino_cpu import OpenvinoBackend
from vision.backends.protocol import Backend
from vision.networks import load_net
from vision.openvino_model import convert, quantise
from vision.optimized import About
from vision.patch_stages import LOOK
from vision.probe import Probe, probe_of, verify
from vision.recipes import recipe_named
from vision.weights import find_weights

LEAST_PICTURES = 16
LEAST_MEAN_COSINE = 0.999  # of int8 features and tokens to float32 ones, over pictures held out
_HELD_OUT = 4  # every fourth picture measures, the others calibrate
_PROBED = 4
_STEP = 8


@dataclass(frozen=True, slots=True)
class Optimized:
    """What was stored: float32 for `auto`, int8 for LINEWATCH_PRECISION=int8."""

    float32: About
    int8: About


def optimize(settings: Settings, pictures: torch.Tensor) -> Optimized:
    """Convert the encoders that the settings name, quantise them on `pictures`, and store both.

    Args:
        settings: say which encoders and recipe, and where the result goes.
        pictures: prepared, uint8 [n, 3, size, size]; at least 16 of what the cameras see.

    Raises:
        WeightsError: there are too few pictures; the weights cannot be had; the result is too far
            from float32 (then nothing of it is kept) or cannot be written.
    """
    if len(pictures) < LEAST_PICTURES:
        raise WeightsError(
            f"{len(pictures)} pictures are too few to calibrate on; {LEAST_PICTURES} are needed, "
            "and a few hundred do better"
        )
    net, fingerprint = load_net(find_weights(settings), recipe_named(settings.recipe))
    held = torch.arange(len(pictures)) % _HELD_OUT == 0
    measured = probe_of(net, pictures[held], tokens=True)
    probe = measured[:_PROBED]
    common = {"source": fingerprint.hex, "versions": _versions(), "look": LOOK}

    model = convert(net)
    backend = OpenvinoBackend(model, precision="float32", largest=_STEP)
    verify(backend, measured)
    about = {**common, "precision": "float32", "pictures": 0, **_cosines(backend, measured)}
    float32 = optimized.save(optimized.folder_of(settings, "float32"), model, probe, about=about)

    calibration = pictures[~held]
    quantised = quantise(model, calibration)
    cosines = _cosines(OpenvinoBackend(quantised, precision="int8", largest=_STEP), measured)
    for what, mean in (("features", "mean_cosine"), ("patch tokens", "mean_token_cosine")):
        if not cosines[mean] >= LEAST_MEAN_COSINE:
            raise WeightsError(
                f"the int8 {what} have cosine {cosines[mean]:.5f} to the float32 ones, "
                f"{LEAST_MEAN_COSINE:g} is needed; calibrate on more and more varied pictures, or "
                "set LINEWATCH_PRECISION=bfloat16"
            )
    about = {**common, "precision": "int8", "pictures": len(calibration), **cosines}
    int8 = optimized.save(optimized.folder_of(settings, "int8"), quantised, probe, about=about)
    return Optimized(float32, int8)


def _cosines(backend: Backend, measured: Probe) -> dict[str, float]:
    assert measured.tokens is not None
    parts = [backend.with_tokens(part) for part in torch.split(measured.pictures, _STEP)]
    features, tokens = (torch.cat(both) for both in zip(*parts, strict=True))
    whole = torch.cosine_similarity(features, measured.features)
    places = torch.cosine_similarity(tokens, measured.tokens, dim=-1)
    return {
        "mean_cosine": float(whole.mean()),
        "least_cosine": float(whole.min()),
        "mean_token_cosine": float(places.mean()),
        "least_token_cosine": float(places.min()),
    }


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("openvino", "nncf", "torch")}
