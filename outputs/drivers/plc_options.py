"""What the file of outputs says of a receiver that a PLC reads: OPC UA and Modbus alike."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from pydantic import Field

from outputs.options import Port, ReceiverOptions
from outputs.signals import UNLISTED_CLASS

ClassCode = Annotated[int, Field(ge=1, lt=UNLISTED_CLASS)]
Beat = Annotated[float, Field(gt=0, le=0.5, allow_inf_nan=False)]


class PlcOptions(ReceiverOptions):
    """A receiver that asks: Linewatch listens, and the PLC polls."""

    address: IPv4Address | IPv6Address = Field(
        default=IPv4Address("127.0.0.1"),
        description="The address of this machine to listen on, in the machines' network.",
    )
    port: Port
    class_codes: dict[str, ClassCode] = Field(
        default_factory=dict,
        description="The number of each defect class, 1 to 65534; others are told as 65535.",
    )
    beat_s: Beat = Field(default=0.25, description="Between two heartbeats; 0.5 at most.")
    late: bool = Field(
        default=True, description="Show verdicts that are late, when the gate has acted already."
    )
    decisions: bool = Field(
        default=False, description="Show what people decide, when the gate has acted already."
    )
