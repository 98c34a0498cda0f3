"""What an execution backend is."""

from __future__ import annotations

from typing import Literal, Protocol

import torch

Precision = Literal["float32", "bfloat16", "float16", "int8"]


class Backend(Protocol):
    """Runs a `FeatureNet`. One thread at a time owns it: that which owns the device."""

    @property
    def name(self) -> str:
        """Which library runs the network: torch or openvino."""
        ...

    @property
    def precision(self) -> Precision:
        """Of the networks' arithmetic; features are float32 in any case."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the features come out."""
        ...

    @property
    def asynchronous(self) -> bool:
        """Whether `features` returns before they are computed; whoever reads them waits."""
        ...

    @property
    def gives_tokens(self) -> bool:
        """Whether `with_tokens` may be called."""
        ...

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim] on `device` from uint8 [n, 3, size, size] on any device.

        NaN and infinities come through: a backend hides no failure of the network.
        """
        ...

    def with_tokens(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The features, and float32 [n, p, c] tokens of the pictures' places from the same pass.

        Raises:
            ConfigurationError: this backend gives none.
        """
        ...

    def describe(self) -> str:
        """The backend in words, for people."""
        ...
