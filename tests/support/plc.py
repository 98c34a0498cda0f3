"""A PLC on a thread, and results for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

from examples.plc_ejects import Gate, Port, cycle
from outputs.result import Result
from quality.parts.disposition import Disposition

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def result(sequence: int, *, good: bool = True, **fields: object) -> Result:
    """A result of the part `S-<sequence>`."""
    known: dict[str, object] = {
        "id": UUID(int=sequence),
        "sequence": sequence,
        "line": "line-1",
        "product": "cable",
        "part": f"S-{sequence}",
        "disposition": Disposition.CONFORMING if good else Disposition.NONCONFORMING,
        "classes": () if good else ("cut_inner_insulation",),
        "committed_at": AT,
    }
    return Result(**{**known, **fields})  # type: ignore[arg-type]


@contextmanager
def scanning(port: Port, gate: Gate, *, scan_s: float = 0.005) -> Iterator[None]:
    """Let the PLC scan on a thread; it goes with Acknowledge low."""
    over = threading.Event()

    def scan() -> None:
        while not over.is_set():
            cycle(port, gate)
            time.sleep(scan_s)

    thread = threading.Thread(target=scan, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)
        gate.lost()
        with suppress(ConnectionError, TimeoutError):
            port.acknowledge(False)
        port.close()
