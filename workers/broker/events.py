"""Celery's event dispatcher, made safe for a pool of threads and sparing.

Celery's own flushes a list of events and then empties it. What another thread adds in between is
lost, and Flower shows that task as pending for ever: seen for a third of all messages under load.
It also publishes at every turn of the worker's loop: under load that is a publication a message and
a fifth of the loop's time, and without load two of the three come while the networks work on the
picture. Here events gather for a moment. Nobody watching Flower can tell.
"""

from __future__ import annotations

from threading import RLock
from typing import Any

from celery.app.events import Events as CeleryEvents
from celery.events.dispatcher import EventDispatcher
from kombu.asynchronous import get_event_loop

GATHER_S = 0.05  # how long events gather, in seconds
MOST = 96  # events that gather, some thirty messages'; when there are more they go at once


class Dispatcher(EventDispatcher):  # type: ignore[misc]
    """Adds and flushes under one lock, and not more often than needed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._buffering = RLock()
        self._put_off = False  # whether the loop will flush by itself
        self._hurried = False
        super().__init__(*args, **{"buffer_limit": MOST, **kwargs})

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send or buffer an event."""
        with self._buffering:
            if self._hurried:
                self._flush()
            return super().send(*args, **kwargs)

    def flush(self, errors: bool = True, groups: bool = True) -> None:
        """Publish what is buffered: a moment later, unless the buffer is full."""
        with self._buffering:
            if self._full or not self._later():
                self._flush(errors, groups)

    def hurry(self) -> None:
        """Buffer no more: the loop that flushes is about to end. Safe in a signal's handler."""
        self.buffer_group: frozenset[str] = frozenset()
        self._hurried = True

    def extend_buffer(self, other: Dispatcher) -> None:
        """Take over what the dispatcher of a lost connection did not publish."""
        super().extend_buffer(other)
        for group, events in other._group_buffer.items():
            self._group_buffer[group].extend(events)

    @property
    def _full(self) -> bool:
        return any(len(events) >= self.buffer_limit for events in self._group_buffer.values())

    def _later(self) -> bool:
        """Let the worker's loop flush; False where there is none.

        Only the loop's own thread comes here: other threads flush what is full, and the loop's
        timers are not theirs to touch.
        """
        loop = get_event_loop()
        if loop is None or self._hurried:
            return False
        if not self._put_off:
            self._put_off = True
            loop.call_later(GATHER_S, self._due)
        return True

    def _due(self) -> None:
        with self._buffering:
            self._put_off = False
            self._flush()

    def _flush(self, errors: bool = True, groups: bool = True) -> None:
        if any(self._group_buffer.values()) or self._outbound_buffer:
            super().flush(errors, groups)


class Events(CeleryEvents):  # type: ignore[misc]
    """The application's events, with the dispatcher above."""

    dispatcher_cls = f"{__name__}:Dispatcher"
