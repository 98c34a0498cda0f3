"""The driver of a PLC that polls: a thread with an event loop, a server on it, one handshake."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

from linewatch.errors import ConfigurationError
from outputs.drivers.plc_address import may_listen
from outputs.drivers.plc_options import PlcOptions
from outputs.drivers.plc_server import PlcServer
from outputs.drivers.plc_shaking import Shaking
from outputs.errors import ReceiverAwayError
from outputs.handshake import Handshake
from outputs.result import Result

START_S = 60.0  # an OPC UA server builds some thousand nodes; a busy machine takes its time
STOP_S = 5.0
GRACE_S = 2.0  # beyond a result's own time, for a loop that is held up

T = TypeVar("T")
logger = logging.getLogger(__name__)


class PlcDriver:
    """One PLC. Results are shown one at a time, each until the PLC has acknowledged it.

    `Driver` has the interface. The heartbeat goes on as long as the thread that delivers lives.
    """

    batch = 1

    def __init__(self, options: PlcOptions, server: PlcServer) -> None:
        """Start the server: once this returns it listens, healthy, with nothing shown.

        Raises:
            ConfigurationError: it cannot listen, or a file that it needs cannot be read.
        """
        self.options = options
        self._name = options.name
        self._caller = threading.current_thread()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"plc-{options.name}", daemon=True)
        self._thread.start()
        handshake = Handshake(acknowledge_timeout_s=options.ack_timeout_s, beat_s=options.beat_s)
        self.handshake = handshake
        self._shaking = Shaking(
            server,
            handshake,
            beat_s=options.beat_s,
            timeout_s=options.ack_timeout_s,
            class_codes=options.class_codes,
            alive=lambda: self._caller.is_alive(),
        )
        try:
            may_listen(str(options.address), options.port)
            self._on_loop(self._shaking.start(), START_S)
        except BaseException as error:
            self._end()
            if isinstance(error, ConfigurationError):
                raise ConfigurationError(f"receiver {self._name!r}: {error}") from error
            raise

    def deliver(self, results: Sequence[Result]) -> None:
        """Show each result until the PLC has acknowledged it.

        Raises:
            ReceiverAwayError: it did not in time; that result is withdrawn.
        """
        self._caller = threading.current_thread()
        for delivered, result in enumerate(results):
            try:
                self._on_loop(self._shaking.deliver(result), self.options.ack_timeout_s + GRACE_S)
            except ReceiverAwayError as error:
                told = f"receiver {self._name!r}: {error}"
                raise ReceiverAwayError(told, delivered=delivered) from error
            except (TimeoutError, concurrent.futures.CancelledError) as error:
                told = f"receiver {self._name!r}: its server does not answer; restart the outputs"
                raise ReceiverAwayError(told, delivered=delivered) from error

    def probe(self) -> str:
        """Say who polls.

        Raises:
            ReceiverAwayError: nobody does.
        """
        heard = self._call(self._shaking.heard)
        if heard is None:
            raise ReceiverAwayError(
                f"receiver {self._name!r}: listening on {self.options.address}, but nobody polls;"
                " check the PLC's address of this machine, its port, and its network"
            )
        return heard

    def close(self) -> None:
        """All signals low, then no server."""
        with contextlib.suppress(Exception):
            self._on_loop(self._shaking.stop(), STOP_S)
        self._end()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _on_loop(self, work: Coroutine[None, None, T], timeout_s: float) -> T:
        if not self._thread.is_alive():
            work.close()
            raise ReceiverAwayError("its server is closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def _call(self, ask: Callable[[], T]) -> T:
        async def asked() -> T:
            return ask()

        return self._on_loop(asked(), GRACE_S)

    def _end(self) -> None:
        """Stop the loop, and what is left on it."""
        with contextlib.suppress(Exception):
            self._on_loop(_cancel_all(), STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
