"""What each role may do in Redis: the least with which everything works, found with `ACL LOG`.

Selectors, the rules in parentheses, need Redis 7 or Valkey: without them, leave to push to the
queue and leave to read one's own receipts would add up to leave to read the queue.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from linewatch.errors import ConfigurationError
from producer.contract import QUEUE, receipts_key

# Off and without a password: nobody can log in as it, and who has not logged in may do nothing. Its
# rights are for Redis itself, which replays the transactions and scripts of its append-only file as
# this user: what it may not do there is lost at each restart, or Redis does not start
# (https://github.com/redis/redis/issues/14541, mended in late releases alone).
_DEFAULT = "user default off resetpass sanitize-payload ~* &* +@all"
NO_PASSWORD_FITS = "0" * 64  # a hash that stands for a password still to come
_CONNECT = "+ping +select"  # SELECT: where the URL names another database than 0
_MULTI = "+multi +exec +watch +unwatch +discard"
_SCRIPTS = (  # with what kombu's and redbeat's scripts call
    "+evalsha +script|load +script|exists +time +get +del +exists +expire +pexpire +pttl "
    "+sadd +srem +scard +zadd +zrem +zscore +zrangebyscore"
)
# kombu's names for priorities are <queue>, two bytes (6, 22) and a digit.
_QUEUES = " ".join(f"~{name} ~{name}??[369]" for name in (QUEUE, "train", "maintenance"))
_BINDINGS = "~_kombu.binding* +sadd +srem +smembers"
# Whoever consumes with kombu, if only the replies to remote control, looks for messages whose
# worker fell silent and puts them back: so each of these may also put messages into the queues.
_CONSUME = (
    f"~unacked* {_BINDINGS} +brpop +hget +hset +hdel +zadd +zrange +zrem +set +get "
    f"{_SCRIPTS} {_MULTI} {_CONNECT}"
)
_REMOTE = (
    "~*.celery.pidbox* ~celeryev.* &/0.celery.pidbox &/0.celeryev/* +llen +lpush +del "
    "+publish +subscribe +unsubscribe +psubscribe +punsubscribe"
)


@dataclass(frozen=True, slots=True)
class Role:
    """A Redis user: who it is for, and its rules in Redis's own words."""

    name: str
    purpose: str
    rules: str


ROLES = (
    Role(
        "worker",
        "takes messages, sends receipts, answers remote control",
        f"{_QUEUES} {_CONSUME} {_REMOTE} +blmove +rpop +rpush +lindex +hlen "
        "(~linewatch:receipts:* +rpush +ltrim +expire)",
    ),
    Role(
        "beat",
        "starts scheduled tasks, and holds the scheduler's lock",
        "~redbeat:* &/0.celeryev/* +publish +get +set +exists +del +hset +hsetnx +hget +hmget "
        "+sadd +srem +smembers +zadd +zrem +zscore +zrangebyscore "
        f"{_SCRIPTS} {_MULTI} {_CONNECT} ({_BINDINGS} {_SCRIPTS}) "
        f"({_QUEUES} +lpush +llen)",
    ),
    Role(
        "flower",
        "watches the workers' events, and controls workers",
        f"{_CONSUME} {_REMOTE} ({_QUEUES} +llen +lpush +rpush)",
    ),
    Role(
        "ops",
        "a person's `linewatch doctor`, `top` and `dead-letters requeue`",
        f"{_CONSUME} {_REMOTE} +hlen +config|get ({_QUEUES} +llen +lindex +lpush +rpush) "
        "(~redbeat::lock +exists) (~linewatch:clocks +hgetall)",
    ),
    Role(
        "console",
        "the console: what ops may, and pictures that come through its API",
        f"{_CONSUME} {_REMOTE} +hlen +config|get ({_QUEUES} +llen +lindex +lpush +rpush) "
        "(~redbeat::lock +exists) (~linewatch:clocks +hgetall +hset) "
        "(~linewatch:receipts:* +lrange +ltrim) "
        "(~linewatch:console:* +set +get +del +hset +hgetall +hdel +expire +zadd +zcount "
        "+zremrangebyscore)",
    ),
    Role(
        "outputs",
        "the outputs, which ask how far the cameras' clocks are off",
        f"~linewatch:clocks +hgetall +time {_CONNECT}",
    ),
    Role("health", "the health check of Redis itself", "~linewatch:health +set +ping"),
    Role("admin", "a person with redis-cli", "~* &* +@all"),
)


_WITHOUT_PREFIX = frozenset({"health", "admin"})  # Redis's own check, and a person


def producer_role(host: str) -> Role:
    """The role of the cameras on one host: they may enqueue, and read their own receipts.

    Args:
        host: what `linewatch spool status` shows of the producer's id, without its last part.

    Raises:
        ConfigurationError: no producer's id can begin so.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", host):
        raise ConfigurationError(
            f"{host!r} is not a host name: letters, digits and hyphens, 64 at most; other "
            "characters of a host's name are hyphens in its producers' ids"
        )
    receipts = receipts_key(f"{host}-{'[0-9a-f]' * 16}")
    return Role(
        f"producer-{host}",
        f"the cameras on {host}",
        f"~{QUEUE} +lpush +llen +ping +time (~{receipts} +lrange +ltrim) (~linewatch:clocks +hset)",
    )


def acl_file(
    roles: Iterable[Role],
    hashes: Mapping[str, str],
    *,
    database: int = 0,
    setinfo: bool = False,
    prefix: str = "",
) -> str:
    """The text of an ACL file, which `redis-server --aclfile` and `ACL LOAD` read.

    Args:
        roles: a user each; the `default` user is switched off.
        hashes: the SHA-256 (hex) of each user's password.
        database: the number in the URL; Redis grants a pattern subscription only by its own words,
            and kombu's begin with it.
        setinfo: allow CLIENT SETINFO, by which clients tell their name since Redis 7.2; an older
            server does not know it and would not start.
        prefix: of every key and channel, as `LINEWATCH_REDIS_KEY_PREFIX` has it.
    """
    lines = [_DEFAULT]
    for role in roles:
        rules = role.rules.replace("&/0.", f"&/{database}.")
        rules = _with_prefix(rules, prefix) if role.name not in _WITHOUT_PREFIX else rules
        rules = _with_setinfo(rules) if setinfo else rules
        lines.append(f"user {role.name} on #{hashes[role.name]} resetchannels -@all {rules}")
    return "\n".join(lines) + "\n"


def password_hash(password: str) -> str:
    """How an ACL file writes a password.

    Raises:
        ConfigurationError: it is too short to withstand guessing.
    """
    if len(password) < 16:
        raise ConfigurationError("a Redis password of less than 16 characters can be guessed")
    return hashlib.sha256(password.encode()).hexdigest()


def _with_prefix(rules: str, prefix: str) -> str:
    """The rules with `prefix` at the beginning of each pattern of keys (~) and channels (&)."""
    return re.sub(r"(?<![^ (])([~&])", lambda sign: f"{sign[1]}{prefix}", rules)


def _with_setinfo(rules: str) -> str:
    root, parenthesis, selectors = rules.partition("(")
    return f"{root.rstrip()} +client|setinfo {parenthesis}{selectors}".rstrip()
