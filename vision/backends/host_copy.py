"""Results on their way from the device, without holding up what the device is given next."""

from __future__ import annotations

from typing import Any

import torch


class HostCopy:
    """Begins to copy a tensor to the host when made; waits for it when read.

    The copy stands in the stream behind what computes the tensor and before whatever is launched
    later. `.cpu()` after the next batch's launch would wait for that batch as well. On a CPU it is
    the tensor itself.

    Args:
        tensor: on any device.
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        self._host = tensor.to("cpu", non_blocking=True)  # page-locked where it comes from a GPU
        self._arrived: torch.cuda.Event | None = None
        if tensor.is_cuda:
            with torch.cuda.device(tensor.device):
                # blocking: the thread that waits sleeps, and decoders have its core
                self._arrived = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
                self._arrived.record()

    def numpy(self) -> Any:
        """The values, once they are there.

        Raises:
            RuntimeError: the device failed at them, or at something before them.
        """
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._host.numpy()
