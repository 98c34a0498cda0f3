"""The driver of a PLC that polls: a thread with an event loop, a server on it, one handshake."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError

from linewatch.errors import ConfigurationError
from outputs.drivers.loop_thread import STOP_S, LoopThread
from outputs.drivers.plc_address import may_listen
from outputs.drivers.plc_options import PlcOptions
from outputs.drivers.plc_server import PlcServer
from outputs.drivers.plc_shaking import Shaking
from outputs.errors import ReceiverAwayError
from outputs.handshake import Handshake
from outputs.result import Result
from outputs.shown import is_of_use

START_S = 60.0  # an OPC UA server builds some thousand nodes; a busy machine takes its time
QUIET_S = 30.0  # a dispatcher that has nothing to tell probes every ten seconds
LOOK_S = 0.1
GRACE_S = 2.0  # beyond a result's own time, for a loop that is held up


class PlcDriver:
    """One PLC. Results are shown one at a time, each until the PLC has acknowledged it.

    `Driver` has the interface. Healthy falls, and the heart stops, when the thread that delivers
    has ended or was not to be heard for `QUIET_S`.
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
        self._called_at = time.monotonic()
        self._calling = False
        self._patience_s = options.ack_timeout_s
        self._loop = LoopThread(f"plc-{options.name}")
        handshake = Handshake(acknowledge_timeout_s=options.ack_timeout_s, beat_s=options.beat_s)
        self.handshake = handshake
        self._shaking = Shaking(
            server,
            handshake,
            beat_s=options.beat_s,
            timeout_s=options.ack_timeout_s,
            class_codes=options.class_codes,
            alive=self._is_alive,
        )
        try:
            may_listen(str(options.address), options.port)
            self._loop.run(self._shaking.start(), START_S)
        except BaseException as error:
            self._loop.end()
            if isinstance(error, ConfigurationError):
                raise ConfigurationError(f"receiver {self._name!r}: {error}") from error
            raise

    def deliver(self, results: Sequence[Result]) -> None:
        """Show each result until the PLC has acknowledged it; leave out what it does not want.

        Raises:
            ReceiverAwayError: it did not in time; that result is withdrawn.
        """
        with self._called():
            self._deliver(results)

    def _deliver(self, results: Sequence[Result]) -> None:
        late, decisions = self.options.late, self.options.decisions
        for delivered, result in enumerate(results):
            if not is_of_use(result, late=late, decisions=decisions):
                continue
            try:
                self._loop.run(self._shaking.deliver(result), self.options.ack_timeout_s + GRACE_S)
            except ReceiverAwayError as error:
                told = f"receiver {self._name!r}: {error}"
                raise ReceiverAwayError(told, delivered=delivered) from error
            except (TimeoutError, RuntimeError, CancelledError) as error:
                told = f"receiver {self._name!r}: its server does not answer; restart the outputs"
                raise ReceiverAwayError(told, delivered=delivered) from error

    def probe(self) -> str:
        """Say who polls; the first time, a PLC has `ack_timeout_s` to find the server.

        Raises:
            ReceiverAwayError: nobody does.
        """
        with self._called():
            patience_s, self._patience_s = self._patience_s, 0.0
            heard = self._loop.run(self._heard(patience_s), patience_s + GRACE_S)
        if heard is None:
            raise ReceiverAwayError(
                f"receiver {self._name!r}: listening on {self.options.address}, but nobody polls;"
                " check the PLC's address of this machine, its port, and its network"
            )
        return heard

    def figures(self) -> Mapping[str, int]:
        """How many results the PLC has acknowledged, and how many were withdrawn unread."""
        return {
            "acknowledged": self.handshake.acknowledged,
            "overruns": self.handshake.withdrawn,
        }

    def close(self) -> None:
        """All signals low, then no server."""
        with contextlib.suppress(Exception):
            self._loop.run(self._shaking.stop(), STOP_S)
        self._loop.end()

    @contextlib.contextmanager
    def _called(self) -> Iterator[None]:
        """Note who hands over results, and when."""
        self._caller, self._calling = threading.current_thread(), True
        try:
            yield
        finally:
            self._called_at, self._calling = time.monotonic(), False

    def _is_alive(self) -> bool:
        """Whether somebody would hand over a result: a dispatcher without its database does not."""
        recent = time.monotonic() - self._called_at < QUIET_S
        return self._caller.is_alive() and (self._calling or recent)

    async def _heard(self, patience_s: float) -> str | None:
        """Who polls, waiting that long for somebody to begin."""
        clock = asyncio.get_running_loop().time
        until = clock() + patience_s
        while (heard := self._shaking.heard()) is None and clock() < until:
            await asyncio.sleep(LOOK_S)
        return heard
