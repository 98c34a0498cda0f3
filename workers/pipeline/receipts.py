"""Tells producers what is committed. A receipt that gets lost costs a resend, never a picture.

Without required signatures a message may name any producer, and invented ones read nothing. So the
lists are bounded: each, all together, and how many there are. What gives way first is the list of
the producer that was answered longest ago, or the longest; a real camera reads its own and has it
all but empty.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock

import redis

from producer.contract import Receipt, receipts_key

log = logging.getLogger(__name__)

KEEP_S = 7 * 24 * 3600  # a producer that was off for longer resends, and is answered again
KEEP_COUNT = 200_000  # of one producer
MOST_RECEIPTS = 1_000_000  # of all that this worker answered; some 200 MB in Redis
MOST_PRODUCERS = 1_000


class ReceiptWriter:
    """Pushes receipts to the lists that producers read."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self.unsent = 0  # since the start
        self._lock = Lock()  # tasks that answer again come here beside the committer
        self._lengths: dict[str, int] = {}  # by producer, the one answered last at the end

    @property
    def unread(self) -> int:
        """The longest list as it was at its newest receipt: of a producer that does not read."""
        return max(list(self._lengths.values()), default=0)

    def send(self, receipts: Iterable[tuple[str, Receipt]]) -> None:
        """Push each (producer, receipt), oldest first. Redis away: logged, and left to resends."""
        by_producer = defaultdict(list)
        for producer, receipt in receipts:
            by_producer[producer].append(receipt.written())
        if not by_producer:
            return
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for producer, lines in by_producer.items():
                    key = receipts_key(producer)
                    pipe.rpush(key, *lines)
                    pipe.ltrim(key, -KEEP_COUNT, -1)
                    pipe.expire(key, KEEP_S)
                for producer in self._giving_way(by_producer):
                    pipe.ltrim(receipts_key(producer), 1, 0)  # which empties it
                lengths = pipe.execute()[: 3 * len(by_producer) : 3]  # RPUSH answers with it
            with self._lock:
                for producer, length in zip(by_producer, lengths, strict=True):
                    self._lengths.pop(producer, None)
                    self._lengths[producer] = min(length, KEEP_COUNT)
        except redis.RedisError as error:
            self.unsent += sum(map(len, by_producer.values()))
            log.warning("receipts not sent, producers will resend: %s", error)

    def _giving_way(self, answered: Mapping[str, Sequence[str]]) -> list[str]:
        """Producers whose lists are emptied, so that all of them stay within bounds."""
        with self._lock:
            others = {p: length for p, length in self._lengths.items() if p not in answered}
            given = list(others)[: max(0, len(others) + len(answered) - MOST_PRODUCERS)]
            total = sum(self._lengths.values()) + sum(map(len, answered.values()))
            if total > MOST_RECEIPTS and others:
                longest = max(others, key=lambda producer: others[producer])
                given += [longest] if longest not in given else []
            for producer in given:
                del self._lengths[producer]
        for producer in given:
            log.warning("the receipts of producer %s, which reads none, are dropped", producer)
        return given
