"""PyTorch without compilation: the reference, on any device."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import torch

from vision.backends.lanes import lanes_for, parts_of
from vision.backends.protocol import Precision
from vision.feature_net import FeatureNet


class TorchBackend:
    """Runs the module as it is; on a CPU parts of a batch beside each other.

    Args:
        net: moved to `device` and cast to `precision`.
        device: any that torch knows.
        precision: float32, bfloat16 or float16.
        largest: the most pictures that a batch will usually have.
    """

    name = "torch"

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
        parts = parts_of(len(batch), self._lanes)
        if len(parts) == 1:
            return self._compute(batch)
        under_way = [self._threads.submit(self._compute, batch[part]) for part in parts]
        wait(under_way)  # all, even if one fails: what is tried next must find free lanes
        return torch.cat([part.result() for part in under_way])

    def describe(self) -> str:
        """Library, precision and device."""
        return f"torch {self.precision} on {self.device}"

    def _compute(self, batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            features: torch.Tensor = self._net(batch.to(self.device, non_blocking=True))
        return features


def _started(lanes: int, cores: int) -> ThreadPoolExecutor:
    """A thread for each lane, with `cores` of torch's threads; all begin here.

    What is set in one thread holds for those that ask later: see `workers.pipeline.torch_threads`.
    """
    threads = ThreadPoolExecutor(lanes, "lane", torch.set_num_threads, (cores,))
    together = Barrier(lanes)
    wait([threads.submit(together.wait) for _ in range(lanes)])
    return threads
