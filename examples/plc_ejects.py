"""A simulated PLC that ejects parts: what its program does, against a running `linewatch outputs`.

    python examples/plc_ejects.py modbus 127.0.0.1 502
    python examples/plc_ejects.py opcua opc.tcp://127.0.0.1:4840/outputs plc PASSWORD_FILE \
        plc-cert.der plc-key.pem server-cert.der

It needs `pymodbus` or `asyncua`, and nothing of Linewatch. `Gate.scan` is what a PLC runs in each
cycle; it is short, so that it can be written down in structured text as it stands.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

SCAN_S = 0.02
DEAD_AFTER_S = 2.0  # eight heartbeats are missing
AFTERWARDS = (5, 6)  # errors LATE and REVISED: of a part that has left the gate


@dataclass(frozen=True)
class Inputs:
    """What the PLC reads."""

    heartbeat: int
    healthy: bool
    results_ready: bool
    ok: bool
    ng: bool
    sequence: int
    class_code: int
    error: int
    part: str


@dataclass
class Gate:
    """The PLC's program and its outputs."""

    passed: list[str] = field(default_factory=list)
    ejected: list[str] = field(default_factory=list)
    afterwards: list[str] = field(default_factory=list)
    repeats: int = 0
    alarm: bool = True  # until the first heartbeat, and whenever Linewatch is not to be heard
    last_sequence: int = 0  # retentive: it outlives a restart of the PLC
    _heartbeat: int = -1
    _beaten_at: float = float("-inf")
    _acknowledging: bool = False

    def scan(self, inputs: Inputs, now_s: float) -> bool:
        """One cycle.

        Returns:
            The level of Acknowledge: high exactly as long as Results Ready is.
        """
        if inputs.heartbeat != self._heartbeat:
            self._heartbeat, self._beaten_at = inputs.heartbeat, now_s
        self.alarm = not inputs.healthy or now_s - self._beaten_at > DEAD_AFTER_S
        if inputs.results_ready and inputs.sequence != self.last_sequence:
            self.last_sequence = inputs.sequence
            if inputs.error in AFTERWARDS:
                self.afterwards.append(inputs.part)  # for the record: the gate has acted
            else:
                good = inputs.ok and not inputs.ng and not inputs.error
                (self.passed if good else self.ejected).append(inputs.part)
        elif inputs.results_ready and not self._acknowledging:
            self.repeats += 1  # seen before: it is acknowledged again, and no part is ejected twice
        self._acknowledging = inputs.results_ready
        return inputs.results_ready

    def lost(self) -> None:
        """Linewatch is not to be heard: no part passes, and the handshake begins anew."""
        self.alarm = True
        self._acknowledging = False


class Port(Protocol):
    """How the PLC reads and writes."""

    def read(self) -> Inputs:
        """All inputs at one moment."""

    def acknowledge(self, level: bool) -> None:
        """Write Acknowledge."""

    def close(self) -> None:
        """Hang up."""


class ModbusPort:
    """By Modbus TCP, with the register map of docs/line.md (word order `big`, 32 characters)."""

    def __init__(self, host: str, port: int, first_register: int = 0) -> None:
        from pymodbus import ModbusException
        from pymodbus.client import ModbusTcpClient

        self._gone = ModbusException
        self._first = first_register
        self._client = ModbusTcpClient(host, port=port, timeout=2, retries=0)

    def read(self) -> Inputs:
        """All inputs, by one request: it sees one moment."""
        if not self._client.connected and not self._client.connect():
            raise ConnectionError("Linewatch does not answer")
        answer = self._asked(self._client.read_input_registers, self._first, count=24)
        status, heartbeat, high, low, class_code, error, _, _, *text = answer.registers
        part = b"".join(word.to_bytes(2, "big") for word in text).rstrip(b"\0").decode("ascii")
        bits = [bool(status >> bit & 1) for bit in range(6)]
        healthy, _, results_ready, ok, ng, _ = bits
        sequence = high << 16 | low
        return Inputs(heartbeat, healthy, results_ready, ok, ng, sequence, class_code, error, part)

    def acknowledge(self, level: bool) -> None:
        """Write the one register that a PLC writes."""
        self._asked(self._client.write_register, self._first + 6, int(level))

    def _asked(self, request: Callable[..., Any], *values: int, **more: int) -> Any:
        try:
            answer = request(*values, **more)
        except self._gone as error:
            raise ConnectionError(str(error)) from error
        if answer.isError():
            raise ConnectionError(str(answer))
        return answer

    def close(self) -> None:
        """Hang up."""
        self._client.close()


NAMES = (  # in the order of `Inputs`
    *("Heartbeat", "Healthy", "ResultsReady", "Ok", "Ng"),
    *("Sequence", "ClassCode", "Error", "Part"),
)


class OpcuaPort:
    """By OPC UA, signed and encrypted, with user and password."""

    def __init__(
        self, url: str, user: str, password: str, certificate: str, key: str, server: str
    ) -> None:
        self._proof = (url, user, password, certificate, key, server)
        self._client: Any = None

    def read(self) -> Inputs:
        """All inputs, by one request: it sees one moment."""
        return Inputs(*self._asked(lambda: self._client.read_values(self._nodes)))

    def acknowledge(self, level: bool) -> None:
        """Write the one variable that a PLC writes."""
        self._asked(lambda: self._acknowledge.write_value(level))

    def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # the server may be gone
                client.disconnect()

    def _asked(self, request: Callable[[], Any]) -> Any:
        from asyncua.ua import UaError

        try:
            if self._client is None:
                self._connect()
            return request()
        except (OSError, TimeoutError, UaError) as error:
            self.close()  # and connect anew in the next cycle
            raise ConnectionError(str(error)) from error

    def _connect(self) -> None:
        from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
        from asyncua.sync import Client

        url, user, password, certificate, key, server = self._proof
        client = Client(url, timeout=5, watchdog_intervall=5)
        try:
            client.application_uri = "urn:example:plc"  # as in the certificate
            client.set_user(user)
            client.set_password(password)
            client.set_security(SecurityPolicyBasic256Sha256, certificate, key, None, server)
            client.connect()
            index = client.get_namespace_index("urn:linewatch:outputs")
        except BaseException:
            client.tloop.stop()
            raise
        self._client = client
        self._nodes = [client.get_node(f"ns={index};s=Handshake.{name}") for name in NAMES]
        self._acknowledge = client.get_node(f"ns={index};s=Handshake.Acknowledge")


def cycle(port: Port, gate: Gate) -> None:
    """One scan of the PLC: read, decide, write. Without an answer the gate stays on alarm."""
    try:
        port.acknowledge(gate.scan(port.read(), time.monotonic()))
    except (ConnectionError, TimeoutError):
        gate.lost()


def main(kind: str, *where: str) -> None:
    """Run until Ctrl-C, and print what happens to each part."""
    if kind == "modbus":
        port: Port = ModbusPort(where[0], int(where[1]))
    else:
        url, user, password, *files = where
        port = OpcuaPort(url, user, Path(password).read_text().strip(), *files)
    gate, told = Gate(), 0
    try:
        while True:
            cycle(port, gate)
            for part in gate.ejected[told:]:
                print(f"ejected {part}", flush=True)
            told = len(gate.ejected)
            time.sleep(SCAN_S)
    except KeyboardInterrupt:
        port.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
