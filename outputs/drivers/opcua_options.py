"""What the file of outputs says of a receiver that reads by OPC UA."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from outputs.drivers.plc_options import PlcOptions
from outputs.options import Port, Secret

_PROOF = ("certificate", "private_key", "trusted", "user", "password_file", "user_certificates")


class OpcuaOptions(PlcOptions):
    """An OPC UA server for one PLC: signed and encrypted, unless `anonymous` says otherwise."""

    kind: Literal["opcua"] = "opcua"
    port: Port = 4840
    certificate: Path | None = Field(
        default=None, description="This server's certificate, DER or PEM (RSA, 2048 bits or more)."
    )
    private_key: Secret | None = None
    trusted: Path | None = Field(
        default=None, description="A folder of the clients' certificates, DER or PEM."
    )
    user: str | None = None
    password_file: Secret | None = None
    user_certificates: Path | None = Field(
        default=None, description="A folder of certificates that sign in without a password."
    )
    anonymous: bool = Field(
        default=False, description="Neither sign nor encrypt, and let everybody write Acknowledge."
    )
    nodeset: Path | None = Field(
        default=None, description="The NodeSet of OPC 40100-1; without it a subset is shown."
    )

    @model_validator(mode="after")
    def _proof(self) -> Self:
        given = [name for name in _PROOF if getattr(self, name) is not None]
        if self.anonymous and given:
            raise ValueError(f"`anonymous` and `{given[0]}` contradict each other; leave out one")
        if self.anonymous:
            return self
        lacking = [name for name in _PROOF[:3] if name not in given]
        if lacking:
            raise ValueError(
                f"`{lacking[0]}` is missing: without certificates OPC UA can neither be signed nor"
                " encrypted; where that is meant, say `anonymous: true`"
            )
        if (self.user is None) != (self.password_file is None):
            raise ValueError("`user` and `password_file` go together")
        if self.user is None and self.user_certificates is None:
            raise ValueError("who may sign in? give `user` and `password_file`, or certificates")
        return self
