"""What workers tell Flower, heard as Flower hears it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery import Celery

from tests.acceptance.live import PATIENCE, Live


@contextmanager
def events(plant: Live) -> Iterator[list[dict[str, Any]]]:
    """What workers tell Flower from now on, in the order in which it comes."""
    heard: list[dict[str, Any]] = []
    listening, over = threading.Event(), threading.Event()
    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:

        def listen() -> None:
            with app.connection_for_read() as connection:
                receiver = app.events.Receiver(connection, handlers={"*": heard.append})
                with receiver.consumer_context() as (own, _channel, _consumers):
                    while not over.is_set():
                        with suppress(TimeoutError):
                            own.drain_events(timeout=0.2)
                        listening.set()  # Redis is told with the first look, not before

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        assert listening.wait(30 * PATIENCE)
        try:
            yield heard
        finally:
            over.set()
            thread.join(30)
