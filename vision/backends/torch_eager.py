"""PyTorch without compilation: the reference, on any device."""

from __future__ import annotations

import torch

from vision.backends.protocol import Precision
from vision.feature_net import FeatureNet


class TorchBackend:
    """Runs the module as it is.

    Args:
        net: moved to `device` and cast to `precision`.
        device: any that torch knows.
        precision: float32, bfloat16 or float16.
    """

    name = "torch"

    def __init__(
        self, net: FeatureNet, *, device: torch.device, precision: Precision = "float32"
    ) -> None:
        self.device = device
        self.precision: Precision = precision
        net.encoders.cast(precision)
        self._net = net.to(device)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim] on `device` from uint8 [n, 3, size, size]."""
        with torch.inference_mode():
            features: torch.Tensor = self._net(batch.to(self.device, non_blocking=True))
        return features

    def describe(self) -> str:
        """Library, precision and device."""
        return f"torch {self.precision} on {self.device}"
