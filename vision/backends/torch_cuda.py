"""PyTorch on an NVIDIA GPU: a captured graph for each batch size, copies on their own stream.

A CUDA graph replays hundreds of kernel launches as one, which is what bounds small batches. A
batch is filled up to the next prepared size; the host copies batch n+1 into pinned memory and over
the bus while the device still computes batch n: `features` returns at once, and the caller orders
the results' way back (`vision.backends.host_copy`) before it launches the next batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from vision.backends.buckets import bucket_for, chunks, powers_of_two
from vision.backends.protocol import Precision
from vision.backends.staging import Staging
from vision.feature_net import FeatureNet

log = logging.getLogger(__name__)

_Outputs = tuple[torch.Tensor, ...]
_Compute = Callable[[torch.Tensor], _Outputs]
_WARM_UP_RUNS = 3  # what the libraries choose and allocate at first must not be captured


@dataclass(slots=True, eq=False)
class _Captured:
    images: torch.Tensor
    outputs: tuple[torch.Tensor, ...]
    graph: torch.cuda.CUDAGraph


class CudaBackend:
    """Runs captured graphs of the module.

    Args:
        net: moved to `device` and cast to `precision`.
        device: a CUDA device.
        precision: float32 (without TF32), bfloat16 or float16.
        largest: pictures in the largest batch that is captured; larger ones are cut.
    """

    name = "torch"
    asynchronous = True
    gives_tokens = True

    def __init__(
        self,
        net: FeatureNet,
        *,
        device: torch.device,
        precision: Precision = "float32",
        largest: int = 32,
    ) -> None:
        self.device = torch.device("cuda", device.index or 0)
        self.precision: Precision = precision
        if precision == "float32":  # TF32 keeps 10 bits of each factor
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
        net.encoders.cast(precision)
        self._net = net.to(self.device)
        self._buckets: Sequence[int] = powers_of_two(largest)
        self._staging = Staging(largest, net.size, pinned=True)
        self._copy = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        self._compute = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        # Largest first: the smaller graphs then live in the memory that it has claimed.
        self._pool = torch.cuda.graph_pool_handle()
        self._captured = self._capture_all(self._one)
        self._with_tokens: dict[int, _Captured] = {}  # captured when they are first asked for

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim] on the GPU, from uint8 [n, 3, size, size]; does not wait for it."""
        return self._all(batch, self._captured)[0]

    def with_tokens(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The features, and tokens of the pictures' places; the first call takes seconds."""
        if not self._with_tokens:
            self._with_tokens = self._capture_all(self._net.with_tokens)
        features, tokens = self._all(batch, self._with_tokens)
        return features, tokens

    def _one(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        return (self._net(images),)

    def _all(self, batch: torch.Tensor, graphs: Mapping[int, _Captured]) -> _Outputs:
        with torch.cuda.device(self.device), torch.inference_mode():
            parts = [self._run(batch[part], graphs) for part in chunks(len(batch), self._buckets)]
            torch.cuda.current_stream().wait_stream(self._compute)
            for part in parts:  # its memory is the compute stream's; the caller reads it on its own
                for output in part:
                    output.record_stream(torch.cuda.current_stream())
            return tuple(torch.cat(outputs) for outputs in zip(*parts, strict=True))

    def describe(self) -> str:
        """Library, precision and device."""
        return f"torch {self.precision} on {torch.cuda.get_device_name(self.device)}"

    def _run(self, batch: torch.Tensor, graphs: Mapping[int, _Captured]) -> _Outputs:
        captured = graphs[bucket_for(len(batch), self._buckets)]
        host = self._staging.put(batch, len(captured.images))
        with torch.cuda.stream(self._copy):
            arrived = host.to(self.device, non_blocking=True)
            copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied.record()
        self._staging.copying(copied)
        with torch.cuda.stream(self._compute):
            self._compute.wait_event(copied)
            captured.images.copy_(arrived)
            arrived.record_stream(self._compute)
            captured.graph.replay()
            # Clones, since the next replay writes over them.
            return tuple(output[: len(batch)].clone() for output in captured.outputs)

    def _capture_all(self, compute: _Compute) -> dict[int, _Captured]:
        with torch.cuda.device(self.device), torch.inference_mode():
            found = {size: self._capture(size, compute) for size in reversed(self._buckets)}
        log.info("captured %d batch sizes up to %d", len(found), self._buckets[-1])
        return found

    def _capture(self, size: int, compute: _Compute) -> _Captured:
        images = torch.zeros((size, 3, self._net.size, self._net.size), dtype=torch.uint8)
        images = images.to(self.device)
        with torch.cuda.stream(self._compute):
            for _ in range(_WARM_UP_RUNS):
                compute(images)
        self._compute.synchronize()
        graph = torch.cuda.CUDAGraph()
        # Another recipe is captured while this process judges: that thread must not be disturbed.
        with torch.cuda.graph(
            graph, pool=self._pool, stream=self._compute, capture_error_mode="thread_local"
        ):
            outputs = compute(images)
        return _Captured(images, outputs, graph)
