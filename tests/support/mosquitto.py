"""A real MQTT broker of the test's own, which may be killed and started again, and a listener."""

from __future__ import annotations

import getpass
import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.waiting import until


class Mosquitto:
    """A `mosquitto` on a free port.

    Args:
        folder: where its files lie.
        lines: of its configuration besides.
        keeps: what it has outlasts a kill, as sessions of listeners must. It writes all of it to
            the disk at each change, which takes milliseconds.
    """

    def __init__(self, folder: Path, *lines: str, keeps: bool = False) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not Path(program).exists():
            pytest.skip("no mosquitto: `apt-get install mosquitto`")
        self._keeps = keeps
        self._program, self._folder, self._lines = program, folder, lines
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def start(self, *lines: str) -> None:
        """Start it and wait until it listens."""
        config = self._folder / "mosquitto.conf"
        usual = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true"]
        if self._keeps:
            usual += self._persistence()
        # Root may read our files.
        usual += ["max_queued_messages 0", "max_inflight_messages 0", f"user {getpass.getuser()}"]
        config.write_text("\n".join([*usual, *self._lines, *lines]) + "\n")
        log = (self._folder / "mosquitto.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(config)], stdout=log, stderr=log
            )
        until(self._listens, 20)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it as the signal does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP: it hangs, SIGCONT: it goes on."""
        assert self._process is not None
        self._process.send_signal(number)

    def _persistence(self) -> list[str]:
        place = [f"persistence_location {self._folder}/", "autosave_interval 1"]
        return ["persistence true", *place, "autosave_on_changes true"]

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()[-2000:]
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Listener:
    """Subscribes to everything, and comes back when the broker does.

    Args:
        session: its name, under which the broker keeps what it missed; '': nothing.
    """

    def __init__(self, port: int, topic: str = "#", *, session: str = "", **login: Any) -> None:
        self.messages: list[Any] = []
        self.arrived: list[float] = []  # by the clock of `time.time`
        self._connected = False
        self._topic = topic
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=session, protocol=MQTTv5)
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]
        if login:
            self._client.username_pw_set(**login)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = 3600 if session else 0
        self._client.connect_async("127.0.0.1", port, clean_start=not session, properties=keep)
        self._client.loop_start()
        until(lambda: self._connected, 20)

    def _on_subscribe(self, *_: Any) -> None:
        self._connected = True

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self.arrived.append(time.time())
        self.messages.append(message)

    @property
    def results(self) -> list[dict[str, Any]]:
        """The verdicts, as they came."""
        return [json.loads(m.payload) for m in list(self.messages) if m.topic.endswith("verdict")]

    @property
    def states(self) -> list[str]:
        """What was said of lines, as it came."""
        found = [m for m in list(self.messages) if m.topic.endswith("state")]
        return [json.loads(m.payload)["state"] for m in found]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
