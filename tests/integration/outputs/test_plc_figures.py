"""What a PLC acknowledges and what it does not is seen in `linewatch outputs list`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine

from examples.plc_ejects import Gate, ModbusPort
from linewatch.services import free_port
from outputs.dispatcher import Dispatcher
from outputs.file import parse_outputs
from outputs.status import receivers_shown
from tests.support.outbox import committed, now_record, registered
from tests.support.plc import scanning
from tests.support.waiting import until


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_unread_results_are_counted_and_said(engine: Engine) -> None:
    """Nobody polls: overruns and a problem; then a PLC comes, and the part that waited is told."""
    receiver: dict[str, Any] = {"name": "gate", "kind": "modbus", "port": free_port()}
    receiver |= {"clients": ["127.0.0.1"], "ack_timeout_s": 0.2}
    file = parse_outputs({"lines": {"L1": {"receivers": [receiver]}}}, "a test")
    registered(engine, "L1")
    committed(engine, now_record(part="P1"))

    def row() -> Mapping[str, Any]:
        return receivers_shown(engine, file)[0]

    dispatcher, gate = Dispatcher(engine, file), Gate()
    dispatcher.start()
    try:
        until(lambda: row()["state"] == "away", timeout_s=20)
        assert "did not acknowledge" in row()["problem"]
        with scanning(ModbusPort("127.0.0.1", receiver["port"]), gate):
            until(lambda: row()["backlog"] == 0, timeout_s=30)
            until(lambda: (row()["overruns"] or 0) >= 1, timeout_s=20)
    finally:
        dispatcher.stop()
    assert gate.passed + gate.ejected == ["P1"]
