"""A receiver in a process of its own, which a test kills: a webhook's server, or a PLC.

    python -m tests.acceptance.faults.receiver_program FILE KIND WHERE...

`webhook` wants its port, `modbus` and `opcua` what `examples/plc_ejects.py` does, but the password
itself. It appends what it takes to FILE, a JSON object a line, before it confirms. A PLC reads
there which number it saw last, as from memory that outlives a loss of power.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from examples.plc_ejects import SCAN_S, Gate, Inputs, ModbusPort, OpcuaPort, Port, cycle


@dataclass
class Retentive(Gate):
    """A PLC's program whose memory is a file."""

    file: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        """Read what was seen last."""
        if lines := self.file.read_text().splitlines():
            self.last_sequence = json.loads(lines[-1])["sequence"]

    def scan(self, inputs: Inputs, now_s: float) -> bool:
        """One cycle; what is new is kept before it is acknowledged."""
        seen = len(self.ejected)
        level = super().scan(inputs, now_s)
        _append(self.file, *({"part": p, "sequence": inputs.sequence} for p in self.ejected[seen:]))
        return level


def _append(file: Path, *results: object) -> None:
    with file.open("a") as lines:
        lines.write("".join(json.dumps(one) + "\n" for one in results))


def _webhook(file: Path, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            _append(file, *json.loads(body)["results"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def main(file: str, kind: str, *where: str) -> None:
    """Run until somebody ends it."""
    path = Path(file)
    path.touch()
    if kind == "webhook":
        _webhook(path, int(where[0]))
    port: Port = ModbusPort(where[0], int(where[1])) if kind == "modbus" else OpcuaPort(*where[:6])
    gate = Retentive(file=path)
    while True:
        cycle(port, gate)
        time.sleep(SCAN_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
