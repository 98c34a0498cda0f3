"""Verdicts for a PLC that polls by Modbus TCP: the register map, served.

Linewatch is the Modbus server ("slave"), the PLC the client. Reading is by function 3 or 4 (both
show the same registers), writing Acknowledge by 6, 16 or 23; everything else is refused.
"""

from __future__ import annotations

import time
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice

from outputs.drivers.modbus_listener import Listener
from outputs.drivers.modbus_options import ModbusOptions
from outputs.drivers.plc import PlcDriver
from outputs.drivers.plc_server import Acknowledge
from outputs.options import Place, ReceiverOptions
from outputs.register_map import ACKNOWLEDGE, encode
from outputs.result import Result
from outputs.signals import Signals

POLLED_S = 5.0  # who has not asked for so long does not poll
_READ, _WRITE = frozenset({3, 4, 6, 16, 23}), frozenset({6, 16, 23})  # a write is read back


class ModbusServer:
    """The registers, and who reads them."""

    def __init__(self, options: ModbusOptions) -> None:
        self._options = options
        self._signals = Signals()
        self._level = False
        self._polled_at: float | None = None
        self._listener: Listener | None = None

    async def start(self, acknowledge: Acknowledge) -> None:
        """Listen, with all signals low.

        Raises:
            ConfigurationError: the port is taken or needs rights.
        """
        options = self._options
        self._acknowledge = acknowledge
        registers = SimData(
            options.first_register, values=[0] * options.registers, datatype=DataType.REGISTERS
        )
        device = SimDevice(id=0, simdata=[registers], action=self._asked)  # 0: of any unit
        address = (str(options.address), options.port)
        self._listener = Listener(device, address, options.clients)
        await self._listener.serve_forever(background=True)

    async def show(self, signals: Signals, result: Result | None) -> None:
        """Show these signals in the next answer; one request sees one state."""
        self._signals = signals

    def heard(self) -> str | None:
        """Who asked within the last seconds."""
        refused = self._listener.refused if self._listener else 0
        if self._polled_at is None or time.monotonic() - self._polled_at > POLLED_S:
            return None
        return f"a Modbus client polls; {refused} connections were refused"

    async def stop(self) -> None:
        """Close all connections."""
        if self._listener is not None:
            await self._listener.shutdown()

    async def _asked(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Answer one request: bring the registers up to date, or take Acknowledge."""
        if values is not None:
            return self._written(function, address, cast("list[int]", values))
        if function not in _READ:
            return ExcCodes.ILLEGAL_FUNCTION
        self._polled_at = time.monotonic()
        options = self._options
        registers[: options.registers] = encode(
            self._signals,
            self._level,
            registers=options.registers,
            part_characters=options.part_characters,
            order=options.word_order,
        )
        return None

    def _written(self, function: int, address: int, values: list[int]) -> ExcCodes | None:
        if function not in _WRITE:
            return ExcCodes.ILLEGAL_FUNCTION
        if address != self._options.first_register + ACKNOWLEDGE or len(values) != 1:
            return ExcCodes.ILLEGAL_ADDRESS
        if values[0] not in (0, 1):
            return ExcCodes.ILLEGAL_VALUE
        self._level = bool(values[0])
        self._acknowledge(self._level)
        return None


class ModbusDriver(PlcDriver):
    """A PLC that polls by Modbus TCP."""

    def __init__(self, options: ReceiverOptions, place: Place) -> None:
        """Listen.

        Raises:
            ConfigurationError: it cannot.
        """
        modbus = cast(ModbusOptions, options)
        super().__init__(modbus, ModbusServer(modbus))
