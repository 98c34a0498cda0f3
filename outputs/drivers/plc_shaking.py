"""One handshake on an event loop: it beats, shows results one at a time, and waits for the PLC."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from outputs.drivers.plc_server import PlcServer
from outputs.errors import ReceiverAwayError
from outputs.handshake import Handshake, Phase
from outputs.result import Result
from outputs.shown import short_sequence, shown

logger = logging.getLogger(__name__)


class Shaking:
    """The loop's side of a PLC's driver. All methods are called on one loop."""

    def __init__(
        self,
        server: PlcServer,
        handshake: Handshake,
        *,
        beat_s: float,
        timeout_s: float,
        class_codes: dict[str, int],
        alive: Callable[[], bool],
    ) -> None:
        """Wrap a server.

        Args:
            server: what the PLC polls.
            handshake: stopped.
            beat_s: between two heartbeats.
            timeout_s: how long one result may take, from hand-over to acknowledgement.
            class_codes: numbers of the defect classes.
            alive: whether there is still somebody who hands results over; else all falls low.
        """
        self._server, self._handshake = server, handshake
        self._beat_s, self._timeout_s = beat_s, timeout_s
        self._class_codes = class_codes
        self._alive = alive
        self._result: Result | None = None
        self._changed = asyncio.Event()  # Acknowledge changed, or the handshake stopped
        self._showing = asyncio.Lock()
        self._over = False
        self._beating: asyncio.Task[None] | None = None
        self._told: asyncio.Task[None] | None = None  # asyncio itself holds tasks weakly

    async def start(self) -> None:
        """Listen with all low, then be ready.

        Raises:
            ConfigurationError: the server cannot listen.
        """
        await self._server.start(self._acknowledge)
        self._handshake.start()
        self._beating = asyncio.create_task(self._beat())

    async def deliver(self, result: Result) -> None:
        """Show a result until the PLC has acknowledged it.

        Raises:
            ReceiverAwayError: it was not acknowledged in time; it is withdrawn.
        """
        begun = asyncio.get_running_loop().time()
        until = begun + self._timeout_s
        self._revive()
        if not await self._reached(until, Phase.READY):
            await self._say_stuck()
        read_before = self._handshake.acknowledged
        self._result = result
        self._handshake.offer(shown(result, self._class_codes), begun)
        await self._show()
        await self._reached(until, Phase.READY, Phase.RELEASING)
        self._handshake.expire(until)  # by its own time: a timer may wake a little early
        self._result = None
        await self._show()
        if self._handshake.acknowledged == read_before:
            raise ReceiverAwayError(
                f"the PLC did not acknowledge sequence {short_sequence(result.sequence)} within"
                f" {self._timeout_s:g} s: {self._server.heard() or 'nobody polls'}"
            )

    def heard(self) -> str | None:
        """One sentence on who polls; None where nobody does."""
        return self._server.heard()

    async def stop(self) -> None:
        """All low, long enough for a PLC to read it once, then no server."""
        if self._beating is not None:
            self._beating.cancel()
        self._over = True
        self._handshake.stop()
        self._changed.set()
        await self._show()
        await asyncio.sleep(self._beat_s)
        await self._server.stop()

    def _revive(self) -> None:
        """Healthy again, after nobody was there for a while."""
        if self._handshake.phase is Phase.STOPPED and not self._over:
            self._handshake.start()

    def _acknowledge(self, level: bool) -> None:
        self._handshake.acknowledge(level)
        self._changed.set()
        self._told = asyncio.create_task(self._show())

    async def _reached(self, until: float, *phases: Phase) -> bool:
        """Wait for one of these phases, until a time of the loop's clock."""
        loop = asyncio.get_running_loop()
        while self._handshake.phase not in phases:
            if self._handshake.phase is Phase.STOPPED or loop.time() >= until:
                return False
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), until - loop.time())
        return True

    async def _say_stuck(self) -> None:
        """Tell both sides why no result can be shown.

        Raises:
            ReceiverAwayError: always.
        """
        if self._handshake.phase is Phase.STOPPED:
            raise ReceiverAwayError("the server for the PLC is stopped")
        self._handshake.stuck()
        await self._show()
        raise ReceiverAwayError(
            f"the PLC holds Acknowledge high though nothing is shown, since {self._timeout_s:g} s"
            f" or more; it must lower it when Results Ready falls"
        )

    async def _show(self) -> None:
        """Hand the newest signals to the server; the lock keeps an older state from coming last."""
        async with self._showing:
            signals = self._handshake.signals
            try:
                await self._server.show(signals, self._result if signals.results_ready else None)
            except Exception:  # the heart must not stop for one write
                logger.exception("signals could not be written for the PLC")

    async def _beat(self) -> None:
        """Beat, and let all fall once nobody would hand over a result any more."""
        loop = asyncio.get_running_loop()
        while True:
            if self._alive():
                self._revive()
                self._handshake.beat(loop.time())
            else:
                self._handshake.stop()
                self._changed.set()
            await self._show()
            await asyncio.sleep(self._beat_s)
