"""What a broker acknowledged and then lost, for it was killed, is published again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from outputs.drivers import acknowledged
from outputs.drivers.mqtt import MqttDriver
from outputs.drivers.mqtt_options import MqttOptions
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from outputs.result import Result
from tests.support.dispatching import a_broker
from tests.support.line_results import a_result
from tests.support.mosquitto import Listener, Mosquitto
from tests.support.waiting import until

pytestmark = pytest.mark.line


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """It keeps nothing."""
    with Mosquitto(tmp_path) as found:
        yield found


@pytest.fixture
def driver(broker: Mosquitto) -> Iterator[MqttDriver]:
    options = MqttOptions.model_validate(a_broker(broker, in_flight=4))
    found = MqttDriver(options, Place(line="L1"))
    yield found
    found.close()


def results(first: int, count: int) -> list[Result]:
    return [a_result(sequence=first + n) for n in range(count)]


def killed_and_started(broker: Mosquitto, driver: MqttDriver) -> Listener:
    """Another listener, which knows nothing of what came before."""
    broker.end(signal.SIGKILL)
    until(lambda: not driver._connected)
    with pytest.raises(ReceiverAwayError):
        driver.probe()  # an attempt that fails is no second loss
    broker.start()
    return Listener(broker.port)


def sequences(listener: Listener, count: int) -> list[int]:
    """Of what was heard, as soon as there are so many."""
    until(lambda: len(listener.results) >= count)
    return [one["sequence"] for one in listener.results]


def test_what_was_acknowledged_just_before_comes_again_first(
    broker: Mosquitto, driver: MqttDriver
) -> None:
    before, after = results(1, 10), results(11, 2)
    driver.deliver(before)
    listener = killed_and_started(broker, driver)
    driver.deliver(after)
    until(lambda: len(listener.results) == 12)
    said = [(one["id"], one["sequence"]) for one in listener.results]
    assert said == [(str(one.id), one.sequence) for one in [*before, *after]]
    listener.close()


def test_somebody_who_has_nothing_to_tell_tells_it_too(
    broker: Mosquitto, driver: MqttDriver
) -> None:
    driver.deliver(results(1, 3))
    for _ in range(2):  # it is doubted again, for the broker is killed again
        listener = killed_and_started(broker, driver)
        driver.probe()
        assert sequences(listener, 3) == [1, 2, 3]
        listener.close()


def test_what_was_acknowledged_long_before_does_not_come_again(
    broker: Mosquitto, driver: MqttDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledged, "DOUBTED_S", -60.0)
    driver.deliver(results(1, 3))
    listener = killed_and_started(broker, driver)
    driver.deliver(results(4, 1))
    assert sequences(listener, 1) == [4]
    listener.close()


def test_a_connection_that_stays_repeats_nothing(broker: Mosquitto, driver: MqttDriver) -> None:
    listener = Listener(broker.port)
    for first in (1, 4, 7):
        driver.deliver(results(first, 3))
        driver.probe()
    assert sequences(listener, 9) == list(range(1, 10))
    listener.close()
