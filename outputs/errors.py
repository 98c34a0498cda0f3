"""What goes wrong on the way to a receiver."""

from __future__ import annotations

from linewatch.errors import LinewatchError


class ReceiverAwayError(LinewatchError):
    """The receiver does not take results.

    Args:
        message: one sentence that names the receiver: what happened, and what to do.
        delivered: how many of the results, from the first one on, it has nevertheless for good.
    """

    def __init__(self, message: str | None = None, *, delivered: int = 0) -> None:
        super().__init__(message)
        self.delivered = delivered
