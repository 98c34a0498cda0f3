"""A broker that ends in the middle of a batch: what it acknowledged of it comes again, too."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import BinaryIO

import pytest

from outputs.drivers.mqtt import MqttDriver
from outputs.drivers.mqtt_options import MqttOptions
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from tests.support.dispatching import a_broker
from tests.support.line_results import a_result
from tests.support.waiting import until

CONNECT, PUBLISH = 1, 3  # types of packets, MQTT 5.0, 2.1.2
CONNACK, PUBACK = b"\x20\x03\x00\x00\x00", b"\x40\x02"


class ForgetfulBroker:
    """Speaks enough of MQTT 5 to acknowledge; no real one ends where it is told to.

    Args:
        patience: of each connection in turn, how many verdicts it acknowledges before it is cut.
    """

    def __init__(self, *patience: int) -> None:
        self.heard: list[list[int]] = []  # of each connection, the sequences
        self._patience = patience
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        for patience in self._patience:
            with suppress(OSError, ValueError):  # cut within a packet
                connection, _ = self._listener.accept()
                with connection:
                    self.heard.append([])
                    self._talk(connection, patience)

    def _talk(self, connection: socket.socket, patience: int) -> None:
        stream = connection.makefile("rb")
        while head := stream.read(1):
            kind, body = head[0] >> 4, stream.read(_length(stream))
            if kind == CONNECT:
                connection.sendall(CONNACK)
            if kind != PUBLISH:
                continue
            said = json.loads(body[body.index(b"{") :])
            if "sequence" in said:
                self.heard[-1].append(said["sequence"])  # before who waits may look
            end = 2 + int.from_bytes(body[:2])
            connection.sendall(PUBACK + body[end : end + 2])
            if len(self.heard[-1]) == patience:
                connection.shutdown(socket.SHUT_WR)  # a reset would take acknowledgements with it
                stream.read()
                return


def _length(stream: BinaryIO) -> int:
    """Of what follows, in up to four bytes of seven bits each."""
    length = place = 0
    while True:
        (byte,) = stream.read(1)
        length |= (byte & 127) << place
        place += 7
        if byte < 128:
            return length


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[ForgetfulBroker]:
    found = ForgetfulBroker(*request.param)
    yield found
    found.close()


def a_driver(broker: ForgetfulBroker) -> MqttDriver:
    fields = a_broker(broker, in_flight=10, ack_timeout_s=5.0)  # type: ignore[arg-type] # a port
    return MqttDriver(MqttOptions.model_validate(fields), Place(line="L1"))


@pytest.mark.parametrize("broker", [(3, 99)], indirect=True)
def test_the_half_that_was_acknowledged_comes_again(broker: ForgetfulBroker) -> None:
    driver, results = a_driver(broker), [a_result(sequence=n) for n in range(1, 9)]
    with pytest.raises(ReceiverAwayError) as away:
        driver.deliver(results)
    assert away.value.delivered == 3
    driver.deliver(results[3:])
    assert broker.heard[1] == [1, 2, 3, 4, 5, 6, 7, 8]
    driver.close()


@pytest.mark.parametrize("broker", [(3, 2, 3, 99)], indirect=True)
def test_it_is_doubted_until_a_connection_outlives_it(broker: ForgetfulBroker) -> None:
    """Lost again while that is published, and once more right after its last acknowledgement."""
    driver, results = a_driver(broker), [a_result(sequence=n) for n in range(1, 4)]
    driver.deliver(results)
    for connection in (1, 2):
        until(lambda: not driver._connected)
        with suppress(ReceiverAwayError):  # who is cut after the last may have noticed or not
            driver.probe()
        until(lambda n=connection: len(broker.heard) > n)
    until(lambda: not driver._connected)
    driver.probe()
    assert broker.heard == [[1, 2, 3], [1, 2], [1, 2, 3], [1, 2, 3]]
    driver.close()
