"""Two host buffers that take turns, so that one is filled while the other is being copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from vision.backends.buckets import fill


class Event(Protocol):
    """What is waited for before a buffer may be written again: a `torch.cuda.Event`."""

    def synchronize(self) -> None:
        """Wait until the copy is done."""
        ...


@dataclass(slots=True)
class _Slot:
    buffer: torch.Tensor
    copied: Event | None = None


class Staging:
    """Host memory for batches on their way to the device.

    Args:
        largest: pictures in the largest batch.
        size: their side, in pixels.
        pinned: page-locked, as asynchronous copies to a GPU need it.
    """

    def __init__(self, largest: int, size: int, *, pinned: bool) -> None:
        shape = (largest, 3, size, size)
        self._slots = [
            _Slot(torch.zeros(shape, dtype=torch.uint8, pin_memory=pinned)) for _ in range(2)
        ]
        self._next = 0

    def put(self, batch: torch.Tensor, bucket: int) -> torch.Tensor:
        """The batch in the next buffer, filled up to `bucket`; waits while that is being copied."""
        slot = self._slots[self._next]
        if slot.copied is not None:
            slot.copied.synchronize()
            slot.copied = None
        fill(slot.buffer[:bucket], batch)
        return slot.buffer[:bucket]

    def copying(self, copied: Event) -> None:
        """Say that the buffer given last is being copied until `copied`; the other one is next."""
        self._slots[self._next].copied = copied
        self._next = 1 - self._next
