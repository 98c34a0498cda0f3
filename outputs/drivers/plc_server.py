"""What carries a handshake's signals to a PLC: the server of one protocol, on an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from outputs.result import Result
from outputs.signals import Signals

Acknowledge = Callable[[bool], None]


class PlcServer(Protocol):
    """A server that a PLC polls. All of it is called on the loop on which it was started."""

    async def start(self, acknowledge: Acknowledge) -> None:
        """Listen, with all signals low.

        Args:
            acknowledge: called with each level of Acknowledge that the PLC writes, on the loop.

        Raises:
            ConfigurationError: it cannot listen, or a file that it needs cannot be read.
        """

    async def show(self, signals: Signals, result: Result | None) -> None:
        """Let the PLC read these signals from now on; never OK or NG without what belongs to it.

        Args:
            signals: all of them.
            result: what is shown; None where nothing is.
        """

    def heard(self) -> str | None:
        """One sentence on who polls; None where nobody does."""

    async def stop(self) -> None:
        """Close all connections and stop to listen."""
