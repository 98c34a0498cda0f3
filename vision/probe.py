"""A few pictures whose features are known: shows at start that a backend computes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from linewatch.errors import ConfigurationError
from vision.backends.protocol import Backend
from vision.feature_net import FeatureNet

FLOAT32_TOLERANCE = 1e-4  # largest difference of a feature; rows have length 1
_LEAST_COSINE = {"bfloat16": 0.99, "float16": 0.99, "int8": 0.98}
_SEED = 20260102


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Pictures, uint8 [n, 3, size, size], and their float32 features by torch, [n, dim]."""

    pictures: torch.Tensor
    features: torch.Tensor


def probe_of(net: FeatureNet, pictures: torch.Tensor | None = None) -> Probe:
    """What `net`, in float32 on the CPU, makes of `pictures`; of made-up ones by default."""
    pictures = made_up(net.size) if pictures is None else pictures
    with torch.inference_mode():
        return Probe(pictures, net(pictures))


def made_up(size: int) -> torch.Tensor:
    """Two pictures of soft blotches, uint8 [2, 3, size, size], always the same."""
    bits = np.random.PCG64(_SEED).random_raw(2 * 3 * 8 * 8) >> np.uint64(56)
    coarse = torch.from_numpy(bits.astype(np.float32)).reshape(2, 3, 8, 8)
    return interpolate(coarse, size=(size, size), mode="bilinear").round().byte()


def verify(backend: Backend, probe: Probe, *, largest: int = 0) -> None:
    """See that a backend makes of the probe what it should.

    Args:
        backend: what is to be seen.
        probe: with the features that torch makes of it.
        largest: also of a batch with so many pictures, for which it may have another way.

    Raises:
        ConfigurationError: float32 features differ by more than 1e-4, those of another precision
            point elsewhere (cosine below 0.99; int8: 0.98), or they are not finite.
    """
    _compare(backend, probe)
    if largest > len(probe.pictures):
        again = torch.arange(largest) % len(probe.pictures)
        _compare(backend, Probe(probe.pictures[again], probe.features[again]))


def _compare(backend: Backend, probe: Probe) -> None:
    found = backend.features(probe.pictures).cpu()
    if backend.precision == "float32":
        worst = float((found - probe.features).abs().max())
        good = worst <= FLOAT32_TOLERANCE
        words = f"differ by up to {worst:.2g}, {FLOAT32_TOLERANCE:g} is allowed"
    else:
        least = float(torch.cosine_similarity(found, probe.features).min())
        good = least >= _LEAST_COSINE[backend.precision]
        words = f"have cosine {least:.4f}, {_LEAST_COSINE[backend.precision]:g} is needed"
    if not good:  # NaN compares as false, and so ends here too
        raise ConfigurationError(
            f"{backend.describe()} does not compute the encoders' features on this machine: "
            f"against torch in float32 they {words}; set LINEWATCH_BACKEND=torch and "
            "LINEWATCH_PRECISION=float32"
        )
