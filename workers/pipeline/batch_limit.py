"""How many pictures the device is given at once: fewer after it ran out of memory. Pure."""

from __future__ import annotations

FIRST_PATIENCE = 256  # batches


class BatchLimit:
    """Halves when the device has no room, and is doubled again after many batches that fitted.

    The memory may have been another program's, so the limit does not stay low for ever. But each
    time it has to be halved again, twice as many batches must fit before more is tried: a device
    that is simply too small is asked ever more rarely.

    Args:
        most: the limit to begin with, and never to exceed.
        patience: batches of the size allowed that must fit before the limit is doubled.
    """

    def __init__(self, most: int, patience: int = FIRST_PATIENCE) -> None:
        if most < 1 or patience < 1:
            raise ValueError("most and patience must be at least 1")
        self.most = most
        self.value = most
        self._patience = patience
        self._fitted = 0

    def too_many(self, size: int) -> None:
        """A batch of `size` pictures did not fit."""
        self.value = max(1, min(self.value, size // 2))
        self._patience *= 2
        self._fitted = 0

    def fitted(self, size: int) -> None:
        """A batch of `size` pictures fitted; only one as large as is allowed proves anything."""
        if self.value == self.most or size < self.value:
            return
        self._fitted += 1
        if self._fitted >= self._patience:
            self.value = min(self.most, 2 * self.value)
            self._fitted = 0
