"""`linewatch outputs run` beside a PLC, killed again and again: each part moves the gate once."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from db.session import engine_for
from examples.plc_ejects import Gate, ModbusPort
from linewatch.services import free_port
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.outbox import committed, now_record, registered
from tests.support.plc import scanning
from tests.support.waiting import until_counted

KILLS = 50
AHEAD = 20  # parts


@pytest.mark.line
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_again_and_again_each_part_is_ejected_once_and_in_order(
    settings: Settings,
    write: Callable[..., Path],
    program: Callable[[], subprocess.Popen[bytes]],
) -> None:
    """The PLC keeps the last number; what was shown before a kill comes again under its own."""
    engine, port, gate = engine_for(settings.sql_url), free_port(), Gate()
    receiver = {"name": "gate", "kind": "modbus", "port": port, "clients": ["127.0.0.1"]}
    write({**receiver, "beat_s": 0.1})
    registered(engine, "L1")
    parts: list[str] = []
    stop = Event()

    def commit() -> None:
        while not stop.wait(0.03):
            if len(parts) - len(gate.ejected) > AHEAD:  # a PLC reads a few dozen a second
                continue
            part = f"P{len(parts):05d}"
            bad = {"verdict": Verdict.DEFECT, "defect_class": "bent_wire"}
            committed(engine, now_record(part=part, **bad))
            parts.append(part)

    committer = Thread(target=commit)
    committer.start()
    try:
        with scanning(ModbusPort("127.0.0.1", port), gate):
            for kill in range(KILLS):
                process = program()
                reached = len(gate.ejected)
                until_counted(lambda: len(gate.ejected), reached + 1)
                time.sleep(0.05 * (kill % 7))
                process.send_signal(signal.SIGKILL)
                process.wait()
            stop.set()
            committer.join()
            program()
            until_counted(lambda: len(gate.ejected), len(parts))
            assert not gate.alarm
    finally:
        stop.set()
        committer.join()
    assert gate.ejected == parts
    assert gate.passed == []
