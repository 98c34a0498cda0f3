"""Results to an MQTT broker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from threading import Condition
from typing import Any

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from outputs.drivers.acknowledged import Acknowledged
from outputs.drivers.mqtt_options import MqttOptions
from outputs.drivers.mqtt_tls import tls, words
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from outputs.result import Result
from outputs.secrets import secret_text

_KEEPALIVE_S = 10  # after one and a half of these without a word the broker publishes the will
_CLOSE_S = 2.0
_TOPICS = 64  # kept: a line has few products


class MqttDriver:
    """One connection; a new client for each, so that nothing of an earlier one is sent again."""

    def __init__(self, options: MqttOptions, place: Place) -> None:
        self._options = options
        self._place = place
        self._context = tls(options) if options.tls else None
        self._password = (
            None
            if options.password_file is None
            else secret_text(options.password_file, options.name)
        )
        self._topics = lru_cache(_TOPICS)(self._verdict_topic)
        self._client: Client | None = None
        self._changed = Condition()
        self._connected = False
        self._refusal: str | None = None
        self._acknowledged: dict[int, str | None] = {}  # message: why it was refused
        self._taken = Acknowledged()
        self._window = options.in_flight
        self._wanted = 0  # so many: whoever waits for them is not woken by each
        self.batch = options.in_flight

    def deliver(self, results: Sequence[Result]) -> None:
        """Publish as many as the broker takes at once, and wait for each to be acknowledged."""
        for taken in self._published(self._connection(), results):
            with self._changed:
                self._taken.note(taken, time.monotonic())

    def _published(self, client: Client, results: Sequence[Result]) -> Iterator[Sequence[Result]]:
        """Publish all; yields what was acknowledged.

        Raises:
            ReceiverAwayError: after it has yielded what was, not all was.
        """
        size = self._window
        for start in range(0, len(results), size):
            good, why = self._publish(
                client,
                [
                    (self._topics(one.site, one.product), json.dumps(one.as_json()), False)
                    for one in results[start : start + size]
                ],
            )
            yield results[start : start + good]
            if why is not None:
                self._drop()
                raise ReceiverAwayError(f"broker {self._where}: {why}", delivered=start + good)

    def _publish(
        self, client: Client, messages: Sequence[tuple[str, str, bool]]
    ) -> tuple[int, str | None]:
        """How many, from the first, were acknowledged, and why the next was not.

        Args:
            messages: topic, payload, retained?
        """
        with self._changed:
            self._acknowledged.clear()  # a new client counts its messages from 1 again
            self._wanted = len(messages)
        sent = [client.publish(topic, said, 1, kept).mid for topic, said, kept in messages]
        acknowledged = self._wait_for(sent)
        good = 0
        while good < len(sent) and acknowledged.get(sent[good], "") is None:
            good += 1
        if good == len(sent):
            return good, None
        return good, acknowledged.get(sent[good]) or self._why_not(len(sent) - good)

    def probe(self) -> str:
        """Connect, unless it is."""
        self._connection()
        return f"broker {self._where} lets us in; verdicts go to {self._topic(self._options.topic)}"

    def close(self) -> None:
        """Say that the line is offline, and leave."""
        client = self._client
        if client is not None and self._connected:
            with suppress(Exception):
                said = client.publish(self._state_topic, _state("offline"), qos=1, retain=True)
                said.wait_for_publish(_CLOSE_S)
        self._drop()

    @property
    def _where(self) -> str:
        return f"{self._options.host}:{self._port}"

    @property
    def _port(self) -> int:
        return self._options.port or (8883 if self._options.tls else 1883)

    @property
    def _state_topic(self) -> str:
        return self._topic(self._options.state_topic)

    def _verdict_topic(self, site: str, product: str) -> str:
        return self._topic(self._options.topic, site, product)

    def _topic(self, pattern: str, site: str = "", product: str = "PRODUCT") -> str:
        named = {
            "site": self._place.site or site,
            "area": self._place.area,
            "line": self._place.line,
            "product": product,
        }
        filled = pattern.format(**{name: _level(value) for name, value in named.items()})
        levels = [level for level in f"{self._options.prefix}/{filled}".split("/") if level]
        return "/".join(levels)

    def _why_not(self, count: int) -> str:
        if not self._connected:
            return self._refusal or "the connection was lost; the results are sent again"
        return (
            f"did not acknowledge {count} messages within {self._options.ack_timeout_s:g} s; "
            "is it overloaded?"
        )

    def _connection(self) -> Client:
        if self._client is not None and self._connected:
            return self._client
        self._drop()
        self._client = client = self._new_client()
        self._refusal = None
        try:
            client.connect(self._options.host, self._port, keepalive=_KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self._drop()
            raise ReceiverAwayError(f"broker {self._where}: {words(error)}") from None
        client.loop_start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._connected or self._refusal is not None, self._options.ack_timeout_s
            )
        if not self._connected:
            why = self._refusal or "did not answer the greeting; is it an MQTT broker?"
            self._drop()
            raise ReceiverAwayError(f"broker {self._where}: {why}")
        self._say_online(client)
        self._tell_again(client)
        return client

    def _tell_again(self, client: Client) -> None:
        """What the broker acknowledged just before the connection was lost."""
        losses = self._taken.losses
        try:
            for _ in self._published(client, self._taken.doubted()):
                pass
        except ReceiverAwayError as error:
            raise ReceiverAwayError(str(error)) from None  # of what is to be told, nothing yet
        with self._changed:
            self._taken.settled(losses, time.monotonic())

    def _say_online(self, client: Client) -> None:
        """A broker that does not take even this would take no verdict."""
        _, why = self._publish(client, [(self._state_topic, _state("online"), True)])
        if why is not None:
            self._drop()
            raise ReceiverAwayError(f"broker {self._where}: topic {self._state_topic}: {why}")

    def _wait_for(self, sent: Sequence[int]) -> dict[int, str | None]:
        """Until all are acknowledged, or time is over: what was refused, and why."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._connected or all(mid in self._acknowledged for mid in sent),
                self._options.ack_timeout_s,
            )
            return dict(self._acknowledged)

    def _new_client(self) -> Client:
        options = self._options
        name = options.client_id or f"linewatch-{self._place.line}-{options.name}"[:64]
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTv5 if options.protocol == "5" else MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = options.ack_timeout_s
        client.max_inflight_messages_set(options.in_flight)
        if self._context is not None:
            client.tls_set_context(self._context)
        if options.user is not None:
            client.username_pw_set(options.user, self._password)
        client.will_set(self._state_topic, _state("offline"), qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _drop(self) -> None:
        with self._changed:
            client, self._client, self._connected = self._client, None, False
            if client is not None:
                self._taken.lost(time.monotonic())
        if client is not None:
            client.on_connect = client.on_disconnect = client.on_publish = None
            with suppress(Exception):
                client.disconnect()
            with suppress(Exception):
                client.loop_stop()

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: Any, more: Any) -> None:
        most = getattr(more, "ReceiveMaximum", None) or self._options.in_flight
        with self._changed:
            if client is self._client:
                # A broker of MQTT 5 ends the connection of a client that sends more at once.
                self._window = min(most, self._options.in_flight)
                self._connected = not code.is_failure
                self._refusal = f"does not let us in: {code}" if code.is_failure else None
                self._changed.notify_all()

    def _on_disconnect(
        self, client: Client, _data: Any, _flags: Any, code: Any, _more: Any
    ) -> None:
        with self._changed:
            if client is self._client:
                self._taken.lost(time.monotonic())
                self._connected = False
                self._refusal = self._refusal or (
                    f"ended the connection: {code}; may this user publish to the topics, also as "
                    "its last will, and does no other program have the same client_id?"
                )
                self._changed.notify_all()

    def _on_publish(self, client: Client, _data: Any, mid: int, code: Any, _more: Any) -> None:
        with self._changed:
            if client is self._client:
                refused = getattr(code, "is_failure", False)
                self._acknowledged[mid] = (
                    f"refused what was published: {code}; may this user publish to the topic?"
                    if refused
                    else None
                )
                if len(self._acknowledged) >= self._wanted:
                    self._changed.notify_all()


def _level(value: str) -> str:
    """A name as one level of a topic."""
    return "".join("_" if sign in "/+#\0" else sign for sign in value)


def _state(word: str) -> str:
    return json.dumps({"version": 1, "state": word})
