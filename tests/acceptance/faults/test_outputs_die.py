"""Dispatchers and receivers killed while verdicts are told: each arrives, in order, as it was."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from sqlalchemy import make_url

from linewatch.services import free_port
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.told_line import ToldLine, lines_of
from tests.support.dispatching import a_broker
from tests.support.mosquitto import Listener, Mosquitto
from tests.support.opcua import write_certificate

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, keeps=True) as found:
        yield found


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    """Somebody who misses nothing."""
    found = Listener(broker.port, session="mes")
    yield found
    found.close()


@pytest.fixture
def receiver(broker: Mosquitto) -> dict[str, Any]:
    """The broker, as the file of outputs names it."""
    return a_broker(broker, name="mes", in_flight=10, ack_timeout_s=5.0)


def test_a_broker_is_killed_under_load(
    database_url: str,
    tmp_path: Path,
    broker: Mosquitto,
    listener: Listener,
    receiver: dict[str, Any],
) -> None:
    kills, slowest_s = times(short=2, long=15), 0.0
    with ToldLine(tmp_path, database_url, receiver, lambda: listener.results) as line:
        line.dispatcher()
        for _ in range(kills):
            line.goes_on()
            broker.end(SIGKILL)
            time.sleep(0.5)
            broker.start()
            slowest_s = max(slowest_s, line.goes_on(1))
        line.finish("outputs: MQTT broker SIGKILL under load", kills, slowest_s)


def receivers(folder: Path, kind: str, port: int) -> tuple[dict[str, Any], list[str]]:
    """A receiver as the file of outputs names it, and the words that start it."""
    if kind == "webhook":
        (folder / "secret").write_text("0123456789abcdef0123456789abcdef\n")
        url = f"http://127.0.0.1:{port}/verdicts"
        secret = str(folder / "secret")
        return {"name": "gate", "kind": kind, "url": url, "secret_file": secret}, [str(port)]
    plc = {"name": "gate", "kind": kind, "port": port, "beat_s": 0.1, "ack_timeout_s": 5.0}
    if kind == "modbus":
        return {**plc, "clients": ["127.0.0.1"]}, ["127.0.0.1", str(port)]
    write_certificate(folder, "server", "urn:linewatch:outputs")
    write_certificate(folder, "plc", "urn:example:plc")
    (folder / "trusted").mkdir()
    shutil.copy(folder / "plc.der", folder / "trusted")
    (folder / "password").write_text("correct horse\n")
    options = {"certificate": "server.der", "private_key": "server.pem", "trusted": "trusted"}
    options = {name: str(folder / file) for name, file in options.items()}
    options |= {"user": "plc", "password_file": str(folder / "password")}
    files = [str(folder / name) for name in ("plc.der", "plc.pem", "server.der")]
    url = f"opc.tcp://127.0.0.1:{port}/outputs"
    return {**plc, **options}, [url, "plc", "correct horse", *files]


@pytest.mark.parametrize("kind", ["webhook", "modbus", "opcua"])
def test_a_receiver_is_killed_under_load(database_url: str, tmp_path: Path, kind: str) -> None:
    """A PLC's number of the part that it saw last outlives it; so it ejects no part twice."""
    kills, slowest_s = times(short=2, long=15), 0.0
    receiver, words = receivers(tmp_path, kind, free_port())
    taken = tmp_path / "taken.jsonl"
    with ToldLine(tmp_path, database_url, receiver, lambda: lines_of(taken)) as line:
        line.dispatcher()
        for _ in range(kills):
            process = line.receiver(str(taken), kind, *words)
            slowest_s = max(slowest_s, line.goes_on(1))
            line.goes_on()
            process.kill()
            process.wait()
        line.receiver(str(taken), kind, *words)
        line.finish(f"outputs: {kind} receiver SIGKILL under load", kills, slowest_s)
    if kind != "webhook":
        parts = [one["part"] for one in lines_of(taken)]
        assert len(parts) == len(set(parts)), "a part was ejected twice"


@pytest.mark.parametrize("dispatchers", [1, 2])
def test_a_dispatcher_is_killed_under_load(
    database_url: str,
    tmp_path: Path,
    listener: Listener,
    receiver: dict[str, Any],
    dispatchers: int,
) -> None:
    """With a second one at once, whichever of them has the receiver."""
    kills, slowest_s = times(short=2, long=25), 0.0
    with ToldLine(tmp_path, database_url, receiver, lambda: listener.results) as line:
        running = [line.dispatcher() for _ in range(dispatchers)]
        for _ in range(kills):
            line.goes_on()
            process = running.pop(0)
            process.kill()
            process.wait()
            running.append(line.dispatcher())
            slowest_s = max(slowest_s, line.goes_on(1))
        name = "dispatcher" if dispatchers == 1 else "one of two dispatchers"
        line.finish(f"outputs: {name} SIGKILL under load", kills, slowest_s)


def test_the_database_goes_away(
    postgresql_url: str, tmp_path: Path, listener: Listener, receiver: dict[str, Any]
) -> None:
    """Cut off from the database, a dispatcher waits, and goes on where it was."""
    outages, length_s, slowest_s = times(short=1, long=10), times(short=2, long=20), 0.0
    url = make_url(postgresql_url)
    with Proxy(url.host or "127.0.0.1", url.port or 5432) as cable:
        far = url.set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)
        told = lambda: listener.results  # noqa: E731
        with ToldLine(tmp_path, postgresql_url, receiver, told, far) as line:
            line.dispatcher()
            for _ in range(outages):
                line.goes_on()
                cable.cut()
                time.sleep(length_s)
                cable.mend()
                slowest_s = max(slowest_s, line.goes_on(1))
            line.finish(f"outputs: database cut off for {length_s} s", outages, slowest_s)
