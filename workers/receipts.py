"""Tells producers what is committed. A receipt that gets lost costs a resend, never a picture."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable

import redis

from producer.contract import Receipt, receipts_key

log = logging.getLogger(__name__)

KEEP_S = 7 * 24 * 3600  # a producer that was off for longer resends, and is answered again
KEEP_COUNT = 1_000_000  # a producer that never reads must not fill Redis
_MOST_PRODUCERS = 10_000


class ReceiptWriter:
    """Pushes receipts to the lists that producers read."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self.unsent = 0  # since the start
        self._lengths: dict[str, int] = {}

    @property
    def unread(self) -> int:
        """The longest list as it was at its newest receipt: of a producer that does not read."""
        return max(list(self._lengths.values()), default=0)

    def send(self, receipts: Iterable[tuple[str, Receipt]]) -> None:
        """Push each (producer, receipt), oldest first. Redis away: logged, and left to resends."""
        by_producer = defaultdict(list)
        for producer, receipt in receipts:
            by_producer[producer].append(receipt.model_dump_json(exclude_none=True))
        if not by_producer:
            return
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for producer, lines in by_producer.items():
                    key = receipts_key(producer)
                    pipe.rpush(key, *lines)
                    pipe.ltrim(key, -KEEP_COUNT, -1)
                    pipe.expire(key, KEEP_S)
                lengths = pipe.execute()[::3]  # RPUSH answers with the list's length
            if len(self._lengths) > _MOST_PRODUCERS:
                self._lengths.clear()
            self._lengths.update(zip(by_producer, lengths, strict=True))
        except redis.RedisError as error:
            self.unsent += sum(map(len, by_producer.values()))
            log.warning("receipts not sent, producers will resend: %s", error)
