"""Finds out messages that kill workers before their task begins, or never become a task.

Pictures that kill are counted by picture, see `workers.health.suspects`. But whoever dies before
a task begins has read no pictures. So a message that comes back from a dead worker is counted by
its content, in SQL, before it goes on its way to Celery again; when its task begins, it is cleared.
"""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import time
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.inspections import suspects
from db.session import default_engine, transaction
from workers.broker.poison import MAX_DEATHS, Fate, Suspicion, fate
from workers.broker.redelivery import HEADER

log = logging.getLogger(__name__)

CAME_BACK = b"redelivered"  # kombu's word in what it puts back into a queue
_DATABASE_PAUSE_S = 5.0  # after it could not be asked: the worker's loop must not wait each time

CONDEMNED = (
    f"{MAX_DEATHS} workers died with this message, or held it for nothing, before its task began"
)


def suspect_key(item: bytes) -> UUID | None:
    """What a message that came back from a dead worker is counted under; None: it did not.

    Args:
        item: the message, as it lay in the queue.
    """
    if CAME_BACK not in item:
        return None
    message = _read(item)
    headers = message.get("headers") if isinstance(message, dict) else None
    if not isinstance(headers, dict) or not headers.get("redelivered"):
        return None
    return None if headers.get(HEADER) is True else content_key(message)


def held_key(entry: bytes) -> UUID | None:
    """The same for an entry among the messages held, whether it came back or not."""
    held = _read(entry)
    return content_key(held[0]) if isinstance(held, list) and held else None


def content_key(message: Any) -> UUID | None:
    """The key of a message, the same however often it comes back and whatever is made of it then.

    The first 16 bytes of the SHA-256 of what stays: the tag that is its name in Redis, its id and
    task, and its body, so that no other message that bears its tag is taken for it. None: it has
    no such form.
    """
    try:
        headers, tag = message["headers"], message["properties"]["delivery_tag"]
        text = json.dumps([tag, headers.get("id"), headers.get("task"), message["body"]])
    except (TypeError, LookupError, AttributeError, RecursionError):
        return None
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])


class Quarantine:
    """The counts of the messages that this process takes. Its worker's loop and tasks call it.

    A database that is away counts nothing; a worker cannot start without one, so no message ends
    more than those that run.

    Args:
        engine: where the counts are kept; None: the process's database.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine
        self._worker = socket.gethostname()  # noted with each count
        self._tried: dict[str, UUID] = {}  # by delivery tag
        self._ask_again_at = 0.0

    def fate(self, key: UUID) -> Fate:
        """What is to become of a message that came back."""
        if time.monotonic() < self._ask_again_at:
            return Fate.TOGETHER
        try:
            counts = suspects.counts(self._database, [key]).get(key)
        except SQLAlchemyError as error:
            self._put_off(error)
            return Fate.TOGETHER
        return fate(None if counts is None else Suspicion(counts.deaths, counts.alone))

    def begin(self, key: UUID, *, alone: bool) -> None:
        """It goes on its way to Celery: one death more, in advance, as who dies cannot count."""
        if time.monotonic() < self._ask_again_at:
            return
        try:
            with transaction(self._database) as connection:
                suspects.begin_trial(connection, [key], alone=alone, worker=self._worker)
        except SQLAlchemyError as error:
            self._put_off(error)

    def watch(self, tag: str, key: UUID) -> None:
        """The message that was counted goes by this delivery tag."""
        self._tried[tag] = key

    def clear(self, tag: str) -> None:
        """Its task begins, or it ended in another orderly way: it is under suspicion no more."""
        key = self._tried.pop(tag, None)
        if key is not None:
            self.forget(key)

    def forget(self, key: UUID) -> None:
        """Whatever was counted against this content."""
        try:
            with transaction(self._database) as connection:
                suspects.acquit(connection, [key])
        except SQLAlchemyError as error:
            log.warning("a message stays under suspicion: %s", error)

    def convict(self, tag: str, key: UUID) -> None:
        """It was held and never became a task: nobody else can be to blame."""
        tried = self._tried.pop(tag, None) is not None  # then it is counted already
        try:
            with transaction(self._database) as connection:
                if tried:
                    suspects.mark_alone(connection, key)
                else:
                    suspects.begin_trial(
                        connection, [key], alone=True, worker=self._worker, before=0
                    )
        except SQLAlchemyError as error:
            log.warning("a message that never became a task was not counted: %s", error)

    @property
    def _database(self) -> Engine:
        return default_engine() if self._engine is None else self._engine

    def _put_off(self, error: SQLAlchemyError) -> None:
        log.warning("messages that came back are not counted for a while: %s", error)
        self._ask_again_at = time.monotonic() + _DATABASE_PAUSE_S


quarantine = Quarantine()  # this process's


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
