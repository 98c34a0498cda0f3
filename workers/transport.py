"""kombu's Redis transport, as Linewatch's workers use it: no message is ever in nobody's hands."""

from __future__ import annotations

import time
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import Empty
from kombu.utils.json import loads
from redis.exceptions import NoScriptError, OutOfMemoryError

from producer.contract import QUEUE
from workers import handback
from workers.broker_clock import QoS
from workers.config import ALL_QUEUES
from workers.envelope import envelope_problem, take_now
from workers.taking import MOST, SCRIPT, Taken, messages, take_command, wait_command

_OURS = frozenset(ALL_QUEUES)
_PAUSE_S = 0.05  # between looks into empty lists of a Redis that is full


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """kombu's channel, which takes Linewatch's messages by the script in `workers/taking.py`.

    It buries entries that are no messages, and marks what it puts back. It keeps its Redis client:
    kombu makes one for every acknowledgement, which takes a quarter of the time that a message
    costs the worker's loop.

    In kombu BRPOP names the command that is under way on the connection that polls, whichever it
    is; `_brpop_start` sends it, and `_brpop_read` reads its reply when the event loop sees one.
    """

    QoS = QoS
    _kept: Any = None
    _takes = False  # it is the script that is under way
    _more = True  # as far as anyone knows there are more messages; else it has a wait before it

    def _brpop_start(self, timeout: int | None = None) -> None:
        queues = self._queue_cycle.consume(len(self.active_queues))
        self._takes = set(queues) <= _OURS
        if not self._takes:  # such as replies to remote control, which nobody acknowledges
            super()._brpop_start(timeout)
            return
        if not queues:
            return
        lists = [(self._q_for_pri(q, pri), q) for pri in self.priority_steps for q in queues]
        hands = self.qos.can_consume_max_estimate()
        most = MOST if hands is None else min(MOST, hands)
        commands = [take_command(self.unacked_key, self.unacked_index_key, lists, most)]
        if not self._more:
            awaited = QUEUE if QUEUE in queues else queues[0]  # the others are looked at each time
            seconds = self.brpop_timeout if timeout is None else timeout
            commands.insert(0, wait_command(self._q_for_pri(awaited, 0), seconds))
        connection = self.client.connection
        self._in_poll = connection
        self._brpop_sent_at = time.monotonic()
        connection.send_packed_command(connection.pack_commands(commands))

    def _brpop_read(self, **options: Any) -> Any:
        if not self._takes:
            return super()._brpop_read(**options)
        try:
            taken = self._read_taken()
            self._more = bool(taken)
            for one in taken:
                self._queue_cycle.rotate(one.queue)  # queues take turns
                self._hand_over(one)
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        if not taken:
            raise Empty
        return True

    def _read_taken(self) -> list[Taken]:
        connection = self.client.connection
        full = False
        try:
            if not self._more:
                try:
                    self.client.parse_response(connection, "BLMOVE")
                except OutOfMemoryError:
                    full = True
            try:
                taken = messages(self.client.parse_response(connection, "EVALSHA"))
            except NoScriptError:  # a Redis that this worker has not met, or that was restarted
                with self.conn_or_acquire() as client:
                    client.script_load(SCRIPT)
                return []
        except Exception:
            connection.disconnect()  # there may be a reply left on it
            raise
        if full and not taken:
            time.sleep(_PAUSE_S)
        return taken

    def _hand_over(self, taken: Taken) -> None:
        """Give a message that is noted as held to Celery, or bury it."""
        try:
            message = loads(taken.item.decode())
            problem = envelope_problem(message, limit())
        except UnicodeDecodeError:
            problem = "not UTF-8"
        except Exception as error:  # kombu's decoder takes apart more than JSON
            problem = f"not JSON: {error}"
        if problem is not None:
            self.qos.bury(taken.tag, taken.item, problem)
            return
        tag = message["properties"]["delivery_tag"]
        noted = taken.tag == tag.encode()
        if noted:
            self.qos.noted.add(tag)
        take_now(message["headers"])
        self.connection._deliver(message, taken.queue)
        if not noted:  # Redis could not read it, and kombu has noted it now
            self.qos.forget(taken.tag)

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # owns a connection of its own
            return super()._create_client(asynchronous=True)
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()
        return self._kept

    def _do_restore_message(self, payload: Any, *args: Any, **options: Any) -> None:
        handback.mark(payload)
        super()._do_restore_message(payload, *args, **options)


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """kombu's transport, with the channel above."""

    Channel = Channel


def limit() -> int:
    """The largest body this worker opens, in bytes."""
    from linewatch.settings import get_settings

    return get_settings().max_message_bytes


def install() -> None:
    """Let every Redis URL of this process use the transport above."""
    path = f"{__name__}:Transport"
    TRANSPORT_ALIASES.update({"redis": path, "rediss": path})
