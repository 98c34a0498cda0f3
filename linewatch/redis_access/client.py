"""The way to Redis of all that does not speak through kombu: keys have the prefix of the settings.

kombu knows it as `global_keyprefix`. Of a command that is not listed here nobody knows where its
keys are: with a prefix it is refused, so that nothing lies outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from linewatch.settings import Settings

LOOK_TIMEOUT_S = 2.0

_KEY_COMES_FIRST = frozenset(
    {
        *(
            "EXPIRE",
            "GET",
            "HDEL",
            "HGET",
            "HGETALL",
            "HLEN",
            "HSET",
            "LINDEX",
            "LLEN",
            "LRANGE",
            "LTRIM",
            "RPUSH",
            "SET",
        ),
        *("ZADD", "ZCOUNT", "ZRANGE", "ZREMRANGEBYSCORE"),
    }
)
_KEYS_ONLY = frozenset({"DEL", "EXISTS"})
_NO_KEYS = frozenset({"CONFIG GET", "INFO", "PING", "TIME"})


def redis_client(settings: Settings, **options: Any) -> redis.Redis:
    """A client for the Redis and the key prefix of these settings; `options` are redis-py's."""
    client = _Client.from_url(settings.redis_client_url, **options)
    assert isinstance(client, _Client)
    client.prefix = settings.redis_key_prefix
    return client


def quick_client(settings: Settings) -> redis.Redis:
    """A client that tries once; use it as a context manager."""
    return redis_client(
        settings,
        socket_timeout=LOOK_TIMEOUT_S,
        socket_connect_timeout=LOOK_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def prefixed(prefix: str, command: Sequence[Any]) -> tuple[Any, ...]:
    """A command with `prefix` before each of its keys.

    Raises:
        ValueError: it is not known where this command has its keys.
    """
    name, *arguments = command
    known = str(name).upper()
    if not prefix or known in _NO_KEYS:
        return tuple(command)
    if known in _KEY_COMES_FIRST:
        return (name, _key(prefix, arguments[0]), *arguments[1:])
    if known in _KEYS_ONLY:
        return (name, *(_key(prefix, key) for key in arguments))
    raise ValueError(f"{known}: add to linewatch/redis_access/client.py where its keys are")


def _key(prefix: str, key: Any) -> Any:
    return prefix.encode() + key if isinstance(key, bytes) else f"{prefix}{key}"


class _Client(redis.Redis):
    prefix = ""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        return super().execute_command(*prefixed(self.prefix, args), **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        pipe = _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.prefix = self.prefix
        return pipe


class _Pipeline(Pipeline):
    prefix = ""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        return super().execute_command(*prefixed(self.prefix, args), **options)  # type: ignore[no-untyped-call]
