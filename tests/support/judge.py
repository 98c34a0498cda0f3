"""The worker's side of the contract, for tests of the producer: takes messages, pushes receipts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from queue import Empty
from types import TracebackType

import kombu
import redis
from kombu.exceptions import KombuError

from producer.contract import (
    QUEUE,
    ImageRef,
    ParsedMessage,
    Receipt,
    Verdict,
    parse_message,
    receipts_key,
)


class Judge:
    """Judges every picture, in a thread, from `with` to the end of its block.

    Args:
        url: the broker.
        answers: says for which messages receipts go back; empty: for all.
        says: the receipt for a picture; empty: that it passes.
    """

    def __init__(
        self,
        url: str,
        answers: Callable[[ParsedMessage], bool] = lambda message: True,
        says: Callable[[ImageRef], Receipt] | None = None,
    ) -> None:
        self._url = url
        self._answers = answers
        self._says = says or _passes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.messages: list[ParsedMessage] = []

    @property
    def pictures(self) -> list[str]:
        """The ids of all pictures, in the order in which they came."""
        return [str(image.id) for message in self.messages for image in message.images]

    def __enter__(self) -> Judge:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._consume()
            except (redis.RedisError, KombuError, OSError):
                self._stop.wait(0.1)

    def _consume(self) -> None:
        # Closing waits for the pop that is under way, which takes as long as the interval says.
        options = {"socket_timeout": 5, "socket_connect_timeout": 1, "polling_interval": 0.05}
        with (
            kombu.Connection(self._url, transport_options=options) as connection,
            redis.Redis.from_url(self._url, socket_timeout=5) as client,
            connection.SimpleQueue(QUEUE) as queue,
        ):
            while not self._stop.is_set():
                try:
                    message = queue.get(timeout=0.2)
                except Empty:
                    continue
                self._judge(message.payload[0][0], client)
                message.ack()

    def _judge(self, payload: object, client: redis.Redis) -> None:
        parsed = parse_message(payload)
        assert not parsed.refusals
        self.messages.append(parsed)
        producer = parsed.envelope.producer
        if producer is None or not self._answers(parsed):
            return
        receipts = [self._says(image) for image in parsed.images]
        client.rpush(receipts_key(producer), *(r.written() for r in receipts))


def _passes(image: ImageRef) -> Receipt:
    return Receipt(id=image.id, verdict=Verdict.PASS, decided_at=datetime.now(UTC))
