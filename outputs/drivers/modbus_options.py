"""What the file of outputs says of a receiver that polls by Modbus TCP."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from outputs.drivers.plc_options import PlcOptions
from outputs.options import Port
from outputs.register_map import WordOrder, room


class ModbusOptions(PlcOptions):
    """A Modbus server for one PLC. Modbus knows no passwords: who may connect is a list."""

    kind: Literal["modbus"] = "modbus"
    port: Port = 502
    clients: Annotated[tuple[IPv4Network | IPv6Network, ...], Field(min_length=1)] = Field(
        description="Addresses or networks that may connect; all others are refused."
    )
    first_register: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0, description="The first register, as Modbus counts: from 0."
    )
    registers: Annotated[int, Field(ge=1, le=65536)] = Field(
        default=24, description="How many registers are set aside."
    )
    part_characters: Annotated[int, Field(ge=1, le=240)] = Field(
        default=32, description="Room for the part; a longer one is told by its last characters."
    )
    word_order: WordOrder = Field(
        default="big", description="Which half of a 32-bit number comes first: `big` is the high."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if wrong := room(self.first_register, self.registers, self.part_characters):
            raise ValueError(wrong)
        return self
