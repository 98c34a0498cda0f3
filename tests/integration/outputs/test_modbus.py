"""Verdicts by Modbus TCP: a real server, a real client, the loopback."""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pydantic import ValidationError
from pymodbus.client import ModbusTcpClient

from examples.plc_ejects import Gate, ModbusPort
from linewatch.errors import ConfigurationError
from linewatch.services import free_port
from outputs.drivers.modbus import ModbusDriver
from outputs.drivers.modbus_listener import MAX_CONNECTIONS
from outputs.drivers.modbus_options import ModbusOptions
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from outputs.signals import ErrorCode
from tests.support.plc import result, scanning
from tests.support.waiting import until

PLACE = Place(line="line-1")


def options(**fields: object) -> ModbusOptions:
    """A Modbus receiver on a free port."""
    known: dict[str, object] = {
        "name": "gate",
        "port": free_port(),
        "clients": ["127.0.0.1"],
        "class_codes": {"cut_inner_insulation": 3},
        "ack_timeout_s": 20,
        "beat_s": 0.05,
    }
    return ModbusOptions.model_validate({**known, **fields})


@pytest.fixture
def driver() -> Iterator[ModbusDriver]:
    """A server for a PLC."""
    made = ModbusDriver(options(), PLACE)
    yield made
    made.close()


def port_of(driver: ModbusDriver) -> ModbusPort:
    """A client of that server."""
    return ModbusPort("127.0.0.1", driver.options.port)  # type: ignore[attr-defined]


def shown(client: ModbusTcpClient, first: int = 0) -> bool:
    """Whether Results Ready stands."""
    return bool(client.read_holding_registers(first, count=1).registers[0] & 4)


def test_a_plc_ejects_a_bad_part_and_lets_a_good_one_pass(driver: ModbusDriver) -> None:
    """And a repeat, after a restart of the dispatcher, is acknowledged and ejects nothing."""
    gate = Gate()
    with scanning(port_of(driver), gate):
        driver.deliver([result(1)])
        driver.deliver([result(2, good=False)])
        driver.deliver([result(2, good=False)])
        driver.deliver([result(3, no_verdict=True)])
        driver.deliver([result(4, late=True)])
        driver.deliver([result(5, decided_by="person", revision=2)])
        assert "polls" in driver.probe()
        assert not gate.alarm
    assert gate.passed == ["S-1"]
    assert gate.ejected == ["S-2", "S-3"]
    assert gate.afterwards == ["S-4"]
    assert gate.repeats >= 1


def test_the_registers_are_those_of_the_page(driver: ModbusDriver) -> None:
    """Read word by word, while a result stands; the acknowledgement clears all of it."""
    client = ModbusTcpClient("127.0.0.1", port=driver.options.port)  # type: ignore[attr-defined]
    client.connect()
    assert client.read_holding_registers(0, count=1).registers == [0b000011]
    told = threading.Thread(target=driver.deliver, args=([result(70000, good=False)],))
    told.start()
    until(lambda: shown(client, 0), timeout_s=20)
    words = client.read_input_registers(0, count=24).registers
    assert words[0] == 0b010101
    assert words[2:8] == [1, 70000 - 65536, 3, 0, 0, 1]
    assert bytes(itertools.chain(*(w.to_bytes(2, "big") for w in words[8:]))) == (
        b"S-70000".ljust(32, b"\0")
    )
    assert not client.write_register(6, 1).isError()
    told.join(20)
    assert not told.is_alive()
    words = client.read_input_registers(0, count=24).registers
    assert words[0] == 0b000001
    assert words[2:] == [0, 0, 0, 0, 1, 1, *[0] * 16]
    assert not client.write_register(6, 0).isError()
    until(lambda: client.read_input_registers(0, count=1).registers == [3], timeout_s=20)
    client.close()


def test_low_words_first_for_plcs_that_want_it() -> None:
    """Word order and first register are the plant's."""
    driver = ModbusDriver(options(word_order="little", first_register=400, registers=40), PLACE)
    client = ModbusTcpClient("127.0.0.1", port=driver.options.port)  # type: ignore[attr-defined]
    client.connect()
    told = threading.Thread(target=driver.deliver, args=([result(65536 * 5 + 9)],))
    told.start()
    until(lambda: shown(client, 400), timeout_s=20)
    assert client.read_holding_registers(402, count=2).registers == [9, 5]
    assert client.read_holding_registers(399, count=1).isError()
    client.write_registers(406, [1])
    told.join(20)
    driver.close()
    client.close()


def test_only_acknowledge_can_be_written(driver: ModbusDriver) -> None:
    """No client makes a part good; neither is a coil or another value taken."""
    client = ModbusTcpClient("127.0.0.1", port=driver.options.port)  # type: ignore[attr-defined]
    client.connect()
    assert client.write_register(0, 0b001101).isError()
    assert client.write_registers(5, [0, 1]).isError()
    assert client.write_register(6, 2).isError()
    assert client.write_coil(6, True).isError()
    assert client.read_coils(0, count=1).isError()
    assert client.mask_write_register(address=6, and_mask=0, or_mask=1).isError()
    assert client.read_holding_registers(0, count=1).registers == [0b000011]
    client.close()


def test_who_is_not_on_the_list_is_not_heard() -> None:
    """The connection is closed before a word, and the probe says how many were refused."""
    driver = ModbusDriver(options(clients=["10.1.2.0/24"], ack_timeout_s=0.1), PLACE)
    port = driver.options.port  # type: ignore[attr-defined]
    with socket.create_connection(("127.0.0.1", port), timeout=2) as stranger:
        stranger.sendall(bytes.fromhex("000100000006010300000001"))
        try:
            heard = stranger.recv(100)
        except ConnectionResetError:
            heard = b""
    assert heard == b""
    with pytest.raises(ReceiverAwayError, match="nobody polls"):
        driver.probe()
    driver.close()


def test_a_plc_that_connects_a_little_later_is_found_at_the_first_try() -> None:
    """`linewatch outputs test` listens for a moment only."""
    driver = ModbusDriver(options(), PLACE)
    plc = port_of(driver)
    late = threading.Timer(0.5, plc.read)
    late.start()
    assert "polls" in driver.probe()
    late.join()
    plc.close()
    driver.close()


def test_garbage_ends_no_server(driver: ModbusDriver) -> None:
    """Half a request, a request of another protocol, a length that is a lie; the PLC reads on."""
    port = driver.options.port
    plc = port_of(driver)
    plc.read()
    noise = random.Random(7)
    for data in (
        bytes.fromhex("0001000000060103"),
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("00010000ffff0103"),
        *(noise.randbytes(300) for _ in range(20)),
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=2) as stranger:
            stranger.sendall(data)
            assert plc.read().healthy
    plc.close()


def test_no_more_than_sixteen_connections_are_held(driver: ModbusDriver) -> None:
    """And one that is given up makes room."""
    port = driver.options.port
    with ExitStack() as held:
        for _ in range(MAX_CONNECTIONS):
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=2))
        with socket.create_connection(("127.0.0.1", port), timeout=2) as one_too_many:
            assert one_too_many.recv(10) == b""
    plc = port_of(driver)
    until(lambda: heard(plc), timeout_s=20)
    plc.close()


def heard(plc: ModbusPort) -> bool:
    """Whether the PLC gets an answer."""
    try:
        return plc.read().healthy
    except ConnectionError:
        plc.close()
        return False


def test_a_result_that_nobody_reads_is_withdrawn_and_said() -> None:
    """Overrun stands, nothing else; read at last, the same number comes again."""
    driver = ModbusDriver(options(ack_timeout_s=0.3), PLACE)
    began = time.monotonic()
    with pytest.raises(ReceiverAwayError, match=r"'gate': the PLC did not acknowledge .* nobody"):
        driver.deliver([result(5, good=False)])
    assert time.monotonic() - began < 10
    plc = port_of(driver)
    inputs = plc.read()
    assert (inputs.results_ready, inputs.ng, inputs.sequence) == (False, False, 0)
    assert inputs.error == ErrorCode.NOT_ACKNOWLEDGED
    gate = Gate()
    with scanning(plc, gate):
        driver.deliver([result(5, good=False)])
    assert gate.ejected == ["S-5"]
    driver.close()


def test_a_plc_that_holds_acknowledge_is_told_so() -> None:
    """Nothing is shown to it: it would confirm what it has not read."""
    driver = ModbusDriver(options(ack_timeout_s=0.3), PLACE)
    plc = port_of(driver)
    plc.read()
    plc.acknowledge(True)
    with pytest.raises(ReceiverAwayError, match="holds Acknowledge high"):
        driver.deliver([result(5)])
    assert plc.read().error == ErrorCode.ACKNOWLEDGE_STUCK
    assert not plc.read().results_ready
    plc.close()
    driver.close()


def test_the_server_restarts_under_load_and_no_part_is_lost_or_ejected_twice() -> None:
    """The PLC is on alarm meanwhile; what was not acknowledged comes again."""
    chosen, gate = options(ack_timeout_s=20), Gate()
    driver = ModbusDriver(chosen, PLACE)
    with scanning(ModbusPort("127.0.0.1", chosen.port), gate):
        for sequence in range(1, 31):
            if sequence % 10 == 0:
                driver.close()
                until(lambda: gate.alarm, timeout_s=20)
                driver = ModbusDriver(chosen, PLACE)
                driver.deliver([result(sequence - 1, good=False)])
            driver.deliver([result(sequence, good=False)])
    driver.close()
    assert gate.ejected == [f"S-{n}" for n in range(1, 31)]
    assert gate.repeats >= 3


def test_the_heart_stops_with_the_thread_that_delivers() -> None:
    """A server that answers while nobody hands results over would look healthy for ever."""
    made: list[ModbusDriver] = []
    thread = threading.Thread(target=lambda: made.append(ModbusDriver(options(), PLACE)))
    thread.start()
    thread.join(10)
    plc = port_of(made[0])
    until(lambda: not plc.read().healthy, timeout_s=20)
    beat = plc.read().heartbeat
    time.sleep(0.2)
    assert plc.read().heartbeat == beat
    plc.close()
    made[0].close()


def test_a_dispatcher_that_is_not_to_be_heard_is_not_healthy(
    driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database is away, say; with the next call all is as before."""
    plc = port_of(driver)
    assert plc.read().healthy
    monkeypatch.setattr("outputs.drivers.plc.QUIET_S", 0.0)
    until(lambda: not plc.read().healthy, timeout_s=20)
    monkeypatch.undo()
    driver.probe()
    until(lambda: plc.read().healthy, timeout_s=20)
    plc.close()


def test_a_port_that_is_taken_is_said_at_the_start(driver: ModbusDriver) -> None:
    """With the receiver's name, and what to do."""
    with pytest.raises(ConfigurationError, match=r"receiver 'gate': it cannot listen on 127.*free"):
        ModbusDriver(driver.options, PLACE)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"registers": 20}, "too small.*needs 24 registers, 20 are set aside"),
        ({"registers": 24, "part_characters": 33}, "needs 25 registers"),
        ({"first_register": 65530}, "beyond register 65535"),
        ({"clients": []}, "at least 1 item"),
        ({"clients": ["plc.local"]}, "clients"),
        ({"address": "everywhere"}, "address"),
        ({"class_codes": {"cut": 65535}}, "class_codes"),
        ({"word_order": "middle"}, "word_order"),
        ({"user": "plc"}, "user"),
    ],
)
def test_a_map_that_does_not_fit_is_said_before_the_start(
    fields: dict[str, object], said: str
) -> None:
    """Register map, list of clients, address."""
    with pytest.raises(ValidationError, match=said):
        options(**fields)
