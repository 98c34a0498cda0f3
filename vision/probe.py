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
    """What torch in float32 makes of some pictures.

    Attributes:
        pictures: uint8 [n, 3, size, size].
        features: float32 [n, dim].
        tokens: float32 [n, p, c], of their places; None: not known, and not compared.
    """

    pictures: torch.Tensor
    features: torch.Tensor
    tokens: torch.Tensor | None = None

    def __getitem__(self, rows: slice | torch.Tensor) -> Probe:
        """That of some of the pictures."""
        tokens = None if self.tokens is None else self.tokens[rows]
        return Probe(self.pictures[rows], self.features[rows], tokens)


def probe_of(
    net: FeatureNet, pictures: torch.Tensor | None = None, *, tokens: bool = False
) -> Probe:
    """What `net`, in float32 on the CPU, makes of pictures.

    Args:
        net: the reference.
        pictures: uint8 [n, 3, size, size]; None: made-up ones.
        tokens: also of their places.
    """
    pictures = made_up(net.size) if pictures is None else pictures
    with torch.inference_mode():
        if tokens:
            return Probe(pictures, *net.with_tokens(pictures))
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
        ConfigurationError: float32 features or tokens differ by more than 1e-4, those of another
            precision point elsewhere (cosine below 0.99; int8: 0.98; of a picture's tokens the mean
            counts), or they are not finite.
    """
    _compare(backend, probe)
    if largest > len(probe.pictures):
        _compare(backend, probe[torch.arange(largest) % len(probe.pictures)])


def _compare(backend: Backend, probe: Probe) -> None:
    if probe.tokens is None or not backend.gives_tokens:
        _as_it_should("features", backend.features(probe.pictures), probe.features, backend)
        return
    features, tokens = backend.with_tokens(probe.pictures)
    _as_it_should("features", features, probe.features, backend)
    _as_it_should("patch tokens", tokens, probe.tokens, backend)


def _as_it_should(
    what: str, computed: torch.Tensor, wanted: torch.Tensor, backend: Backend
) -> None:
    found = computed.cpu()
    if backend.precision == "float32":
        worst = float((found - wanted).abs().max())
        good = worst <= FLOAT32_TOLERANCE
        words = f"differ by up to {worst:.2g}, {FLOAT32_TOLERANCE:g} is allowed"
    else:
        cosines = torch.cosine_similarity(found, wanted, dim=-1)
        least = float(cosines.flatten(1).mean(dim=1).min() if found.ndim > 2 else cosines.min())
        good = least >= _LEAST_COSINE[backend.precision]
        words = f"have cosine {least:.4f}, {_LEAST_COSINE[backend.precision]:g} is needed"
    if not good:  # NaN compares as false, and so ends here too
        raise ConfigurationError(
            f"{backend.describe()} does not compute the encoders' {what} on this machine: "
            f"against torch in float32 they {words}; set LINEWATCH_BACKEND=torch and "
            "LINEWATCH_PRECISION=float32"
        )
