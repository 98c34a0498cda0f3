"""kombu's Redis channel, as Linewatch's workers use it: no message is ever in nobody's hands."""

from __future__ import annotations

import logging
import time
from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import Empty
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError
from redis.retry import Retry

from producer.contract import QUEUE, Reason
from workers.broker import redelivery
from workers.broker.arrivals import Turn
from workers.broker.envelope import RefusedError, admit
from workers.broker.fetch import MOST, SCRIPT, Taken, messages, take_command, wait_command
from workers.broker.message import Message
from workers.broker.poison import Fate
from workers.broker.qos import QoS, limit
from workers.broker.quarantine import CONDEMNED
from workers.config import ALL_QUEUES, TASKS

log = logging.getLogger(__name__)

_OURS = frozenset(ALL_QUEUES)
_PAUSE_S = 0.05  # between looks into empty lists of a Redis that is full

# What goes wrong with the connection, or with this process, and not with a message.
_NOT_ITS_FAULT = (RedisError, OSError, OperationalError, MemoryError)


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """kombu's channel, which takes Linewatch's messages by the script in `workers/broker/fetch.py`.

    It buries entries that are no messages, and marks what it puts back. It keeps its Redis client:
    kombu makes one for every acknowledgement, which takes a quarter of the time that a message
    costs the worker's loop.

    In kombu BRPOP names the command that is under way on the connection that polls, whichever it
    is; `_brpop_start` sends it, and `_brpop_read` reads its reply when the event loop sees one.
    """

    QoS = QoS
    Message = Message
    _kept: Any = None
    _takes = False  # it is the script that is under way
    _more = True  # as far as anyone knows there are more messages; else it has a wait before it

    def _connparams(self, asynchronous: bool = False) -> Any:
        """A connection that the loop reads (`asynchronous`) breaks aloud, and all is set up anew.

        Where Redis is back at once, redis-py would connect anew inside a read: nothing is
        subscribed there, and the loop waits without limit for what nobody says.
        """
        params = super()._connparams(asynchronous=asynchronous)
        if asynchronous:
            params.pop("retry_on_timeout", None)
            params["retry"] = Retry(NoBackoff(), 0)
        return params

    def _brpop_start(self, timeout: int | None = None) -> None:
        queues = self._queue_cycle.consume(len(self.active_queues))
        self._takes = set(queues) <= _OURS
        if not self._takes:  # such as replies to remote control, which nobody acknowledges
            super()._brpop_start(timeout)
            return
        if not queues:
            return
        lists = [(self._list(q, pri), q) for pri in self.priority_steps for q in queues]
        hands = self.qos.can_consume_max_estimate()
        most = MOST if hands is None else min(MOST, hands)
        notes = (self.unacked_key, self.unacked_index_key)
        held, held_since = (f"{self.global_keyprefix}{key}" for key in notes)
        commands = [take_command(held, held_since, lists, most, limit())]
        if not self._more:
            awaited = QUEUE if QUEUE in queues else queues[0]  # the others are looked at each time
            seconds = self.brpop_timeout if timeout is None else timeout
            commands.insert(0, wait_command(self._list(awaited, 0), seconds))
        connection = self.client.connection
        self._in_poll = connection
        self._brpop_sent_at = time.monotonic()
        connection.send_packed_command(connection.pack_commands(commands))

    def _list(self, queue: str, priority: int) -> str:
        """The key of a queue's list; kombu's client prefixes the commands that it knows."""
        return f"{self.global_keyprefix}{self._q_for_pri(queue, priority)}"

    def _brpop_read(self, **options: Any) -> Any:
        if not self._takes:
            return super()._brpop_read(**options)
        try:
            taken = self._read_taken()
            self._more = bool(taken)
            for one in taken:
                self._queue_cycle.rotate(one.queue)  # queues take turns
                self._arrive(one)
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

    def _arrive(self, taken: Taken) -> None:
        """Give a message that is noted as held to Celery, when it is its turn."""
        if self.qos.arrivals.may_pass(taken):
            self._hand_over(Turn(taken))
        else:
            self.qos.arrivals.add(taken)
            self.hand_over_waiting()

    def hand_over_waiting(self) -> None:
        """Hand over the messages whose turn it is; called at each turn of the loop, too."""
        arrivals = self.qos.arrivals
        while (turn := arrivals.next()) is not None:
            if turn.fate is not Fate.CONDEMNED:
                self._hand_over(turn)
            elif self.qos.bury(turn.taken.tag, turn.taken.item, CONDEMNED, reason=Reason.POISON):
                arrivals.buried(turn)

    def _hand_over(self, turn: Turn) -> None:
        """Give a message that is noted as held to Celery, or bury it.

        What a message makes of Celery is the message's end, not the worker's.
        """
        taken = turn.taken
        try:
            admitted = admit(taken.item, taken.queue, TASKS[taken.queue], limit())
        except RefusedError as refused:
            if self.qos.bury(taken.tag, taken.item, str(refused), refused.task_id):
                self.qos.arrivals.buried(turn)
            return
        tag = admitted.delivery_tag
        noted = taken.tag == tag.encode()
        if noted:
            self.qos.noted.add(tag)
        try:
            with self.qos.arrivals.handing_over(tag, turn):
                self.connection._deliver(admitted, taken.queue)
        except _NOT_ITS_FAULT:
            raise
        except Exception as error:
            log.exception("a message broke its delivery")
            task_id = admitted.envelope["headers"]["id"]
            self.qos.let_go(tag)
            _forget_task(task_id, tag)
            problem = f"its delivery failed: {error!r:.500}"
            if self.qos.bury(tag, taken.item, problem, task_id):
                self.qos.arrivals.buried(turn)
        if not noted:  # Redis could not read it, and kombu has noted it now
            self.qos.forget(taken.tag)

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # owns a connection of its own
            return super()._create_client(asynchronous=True)
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()
        return self._kept

    def _restore(self, message: Any, leftmost: bool = False) -> None:
        self.qos.restore_by_tag(message.delivery_tag, leftmost=leftmost)

    def _do_restore_message(self, payload: Any, *args: Any, **options: Any) -> None:
        redelivery.mark(payload)
        super()._do_restore_message(payload, *args, **options)


def _forget_task(task_id: str, delivery_tag: str) -> None:
    """Take a message's task, if it became one, off Celery's books: it holds no place."""
    from workers.broker.worker_state import state

    request = state.requests.get(task_id)
    if request is not None and request.message.delivery_tag == delivery_tag:
        state.task_ready(request)
