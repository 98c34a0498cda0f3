"""Verdicts to a real MQTT broker."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.session import engine_for
from outputs.drivers.mqtt import MqttDriver
from outputs.drivers.mqtt_options import MqttOptions
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from tests.support.dispatching import a_broker, a_lot, assert_in_order, dispatching, shown
from tests.support.mosquitto import Listener, Mosquitto
from tests.support.outbox import committed, now_record, registered
from tests.support.waiting import until

pytestmark = pytest.mark.line


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, keeps=True) as found:
        yield found


def a_driver(broker: Mosquitto, **fields: Any) -> MqttDriver:
    options = MqttOptions.model_validate(a_broker(broker, **fields))
    return MqttDriver(options, Place(site="north", area="hall 2", line="L1"))


def test_verdicts_are_published_in_order_and_none_is_retained(
    engine: Engine, broker: Mosquitto
) -> None:
    listener = Listener(broker.port)
    with dispatching(engine, a_broker(broker), area="hall"):
        parts = a_lot(engine, 50)
        until(lambda: len(listener.results) == 50)
    assert [one["part"] for one in listener.results] == parts
    assert {m.topic for m in listener.messages if m.topic.endswith("verdict")} == {
        "linewatch/hall/L1/verdict"
    }
    later = Listener(broker.port)
    until(lambda: later.states == ["offline"])  # the state is retained, verdicts are not
    assert later.results == []
    assert listener.states[0] == "online"
    listener.close()
    later.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP])
def test_a_broker_that_goes_away_and_comes_back_misses_nothing(
    engine: Engine, broker: Mosquitto, how: signal.Signals
) -> None:
    listener = Listener(broker.port, session="mes")
    with dispatching(engine, a_broker(broker)):
        parts = a_lot(engine, 20, "A")
        until(lambda: len(listener.results) == 20)
        if how is signal.SIGSTOP:
            broker.send(how)
        else:
            broker.end(how)
        parts += a_lot(engine, 20, "B")
        until(lambda: shown(engine)["state"] == "away")
        if how is signal.SIGSTOP:
            broker.send(signal.SIGCONT)
        else:
            broker.start()
        until(lambda: {one["part"] for one in listener.results} == set(parts), 30)
    assert_in_order(listener.results, parts)
    listener.close()


def test_the_will_says_that_the_line_is_offline(broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    driver = a_driver(broker)
    driver.probe()
    until(lambda: listener.states == ["online"])
    assert driver._client is not None
    driver._client.socket().close()  # type: ignore[union-attr]  # as of a process that is killed
    until(lambda: listener.states[-1] == "offline")
    driver.close()
    listener.close()


def test_a_topic_that_is_not_allowed_is_said_and_nothing_is_lost(
    engine: Engine, tmp_path: Path
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read #\ntopic write linewatch/L1/state\n")
    with Mosquitto(tmp_path, f"acl_file {rules}") as broker:
        registered(engine, "L1")
        parts = a_lot(engine, 5)
        with dispatching(engine, a_broker(broker)):
            until(lambda: "Not authorized" in str(shown(engine)["problem"]))
            assert shown(engine)["backlog"] == 5
            rules.write_text("topic readwrite #\n")
            broker.send(signal.SIGHUP)
            listener = Listener(broker.port)
            until(lambda: len(listener.results) >= 5, 30)
        assert_in_order(listener.results, parts)
        listener.close()


def test_a_state_topic_that_is_not_allowed_is_said(tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    with Mosquitto(tmp_path, f"acl_file {rules}") as broker:
        driver = a_driver(broker)
        with pytest.raises(ReceiverAwayError, match=r"L1/state: refused .*Not authorized"):
            driver.probe()
        driver.close()


def test_a_state_topic_that_is_not_allowed_any_more_is_said(tmp_path: Path) -> None:
    """The acknowledgement of an earlier connection's does not count for a new one's."""
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite #\n")
    with Mosquitto(tmp_path, f"acl_file {rules}") as broker:
        driver = a_driver(broker)
        driver.probe()
        broker.end()
        rules.write_text("topic read #\n")
        broker.start()
        until(lambda: not driver._connected)
        with pytest.raises(ReceiverAwayError, match=r"L1/state: refused .*Not authorized"):
            driver.probe()
        driver.close()


def test_a_broker_that_does_not_let_us_in(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("")
    broker = Mosquitto(tmp_path, f"password_file {tmp_path / 'passwords'}")
    broker._lines = ("allow_anonymous false", *broker._lines)
    with broker:
        secret = tmp_path / "secret"
        secret.write_text("wrong\n")
        driver = a_driver(broker, user="gate", password_file=str(secret))
        with pytest.raises(ReceiverAwayError, match="does not let us in: Not authorized"):
            driver.probe()
        driver.close()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for 127.0.0.1, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_over_tls_the_broker_s_certificate_must_be_known(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "broker")
    other, _ = certificate(tmp_path, "other")
    with Mosquitto(tmp_path, f"certfile {cert}", f"keyfile {key}") as broker:
        good = a_driver(broker, tls=True, ca_file=str(cert))
        assert "lets us in" in good.probe()
        good.close()
        for wrong in ({"ca_file": str(other)}, {}):
            driver = a_driver(broker, tls=True, **wrong)
            with pytest.raises(ReceiverAwayError, match="its certificate is not trusted"):
                driver.probe()
            driver.close()
        plain = a_driver(broker)
        with pytest.raises(ReceiverAwayError, match=r"127\.0\.0\.1"):
            plain.probe()
        plain.close()


def test_what_is_no_broker_is_said(engine: Engine, tmp_path: Path) -> None:
    from tests.support.webhook_server import WebhookServer

    server = WebhookServer()
    options = {"name": "g", "kind": "mqtt", "host": "127.0.0.1", "port": server.port, "tls": False}
    driver = MqttDriver(
        MqttOptions.model_validate({**options, "ack_timeout_s": 1.0}), Place(line="L1")
    )
    with pytest.raises(ReceiverAwayError, match=f"broker 127.0.0.1:{server.port}: "):
        driver.probe()
    driver.close()
    server.close()


def test_names_cannot_leave_their_level_of_the_topic(engine: Engine, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    with dispatching(engine, a_broker(broker, topic="{line}/{product}/verdict")):
        committed(engine, now_record(product="a/../#+b"))
        until(lambda: len(listener.results) == 1)
    (topic,) = {m.topic for m in listener.messages if m.topic.endswith("verdict")}
    assert topic == "linewatch/L1/a_.._" + "__b/verdict"
    listener.close()
