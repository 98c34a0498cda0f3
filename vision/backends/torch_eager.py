"""PyTorch without compilation: the reference, on any device."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import torch

from vision.backends.lanes import lanes_for, parts_of
from vision.backends.protocol import Precision
from vision.feature_net import FeatureNet

_Outputs = tuple[torch.Tensor, ...]


class TorchBackend:
    """Runs the module as it is; on a CPU parts of a batch beside each other.

    Args:
        net: moved to `device` and cast to `precision`.
        device: any that torch knows.
        precision: float32, bfloat16 or float16.
        largest: the most pictures that a batch will usually have.
    """

    name = "torch"
    gives_tokens = True

    def __init__(
        self,
        net: FeatureNet,
        *,
        device: torch.device,
        precision: Precision = "float32",
        largest: int,
    ) -> None:
        self.device = device
        self.asynchronous = device.type != "cpu"
        self.precision: Precision = precision
        net.encoders.cast(precision)
        self._net = net.to(device)
        cores = torch.get_num_threads() if device.type == "cpu" else 1
        self._lanes = lanes_for(cores, largest)
        self._threads = _started(self._lanes, cores // self._lanes)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim] on `device` from uint8 [n, 3, size, size]."""
        return self._over_lanes(self._one, batch)[0]

    def with_tokens(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The features, and tokens of the pictures' places."""
        features, tokens = self._over_lanes(self._net.with_tokens, batch)
        return features, tokens

    def _one(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        return (self._net(images),)

    def _over_lanes(
        self, compute: Callable[[torch.Tensor], _Outputs], batch: torch.Tensor
    ) -> _Outputs:
        """What `compute` gives of a batch, lane by lane put together."""
        parts = parts_of(len(batch), self._lanes)
        if len(parts) == 1:
            return self._compute(compute, batch)
        under_way = [self._threads.submit(self._compute, compute, batch[part]) for part in parts]
        wait(under_way)  # all, even if one fails: what is tried next must find free lanes
        return tuple(
            torch.cat(outputs)
            for outputs in zip(*(part.result() for part in under_way), strict=True)
        )

    def describe(self) -> str:
        """Library, precision and device."""
        return f"torch {self.precision} on {self.device}"

    def _compute(
        self, compute: Callable[[torch.Tensor], _Outputs], batch: torch.Tensor
    ) -> _Outputs:
        with torch.inference_mode():
            return compute(batch.to(self.device, non_blocking=True))


def _started(lanes: int, cores: int) -> ThreadPoolExecutor:
    """A thread for each lane, with `cores` of torch's threads; all begin here.

    What is set in one thread holds for those that ask later: see `workers.pipeline.torch_threads`.
    """
    threads = ThreadPoolExecutor(lanes, "lane", torch.set_num_threads, (cores,))
    together = Barrier(lanes)
    wait([threads.submit(together.wait) for _ in range(lanes)])
    return threads
