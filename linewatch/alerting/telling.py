"""What is to be told now, to whom: gathered and claimed in the transaction that holds the lease."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from sqlalchemy import Connection

from db.alerting import notices
from db.alerting.notices import Key, Notice
from db.alerting.shifts_over import ShiftOver
from db.alerts import AlertInfo
from db.clock import database_now
from linewatch.alerting import messages, summary
from linewatch.alerting.due import due
from linewatch.alerting.messages import Message
from linewatch.alerting.rules import AlertsFile, Channel
from linewatch.alerting.texts import Say, Words


@dataclass(frozen=True, slots=True)
class Telling:
    """A message to one address. `tried`: how often it failed before."""

    address: str
    keys: tuple[Key, ...]
    message: Message
    tried: int


@dataclass(frozen=True, slots=True)
class Target:
    """An address of a channel: each is told by itself, so one that fails repeats no other."""

    name: str
    address: str
    channel: Channel


def targets(file: AlertsFile) -> list[Target]:
    """Every address of every channel; the first is called as its channel is."""
    return [
        Target(name if place == 1 else f"{name} {place}", address, channel)
        for name, channel in file.channels.items()
        for place, address in enumerate(channel.to, 1)
    ]


def of_alerts(
    connection: Connection, file: AlertsFile, timezone: tzinfo, words: Words
) -> Iterator[Telling]:
    """Alerts that are due, one message a target."""
    now = database_now(connection)
    alerts = notices.current_alerts(connection)
    known = notices.of_subjects(connection, [notices.subject_of(one.id) for one in alerts])
    for target in targets(file):
        told: list[tuple[Key, AlertInfo]] = []
        for alert in alerts:
            of_it = known.get(notices.subject_of(alert.id), [])
            key = due(target.name, target.channel, alert, of_it, now, timezone)
            if key is not None:
                told.append((key, alert))
        if told:
            say = _in_language(target, file, words)
            message = messages.of_alerts(told, console=file.console, timezone=timezone, say=say)
            keys = tuple(key for key, _ in told)
            yield Telling(target.address, keys, message, _tried(keys, known))


def of_shifts(
    connection: Connection,
    file: AlertsFile,
    over: Sequence[ShiftOver],
    timezone: tzinfo,
    words: Words,
) -> Iterator[Telling]:
    """Summaries that are due; none of a shift in which nothing happened."""
    now = database_now(connection)
    over = [shift for shift in over if shift.parts or shift.raised]
    for target in targets(file):
        for shift in over if target.channel.summary else ():
            key = summary.key_of(shift, target.name)
            known = notices.of_subjects(connection, [key.subject])
            own = next((one for one in known.get(key.subject, []) if one.key == key), None)
            if own is not None and (own.told_at or (own.next_at and own.next_at > now)):
                continue
            say = _in_language(target, file, words)
            message = summary.message(shift, console=file.console, timezone=timezone, say=say)
            yield Telling(target.address, (key,), message, _tried((key,), known))


def _in_language(target: Target, file: AlertsFile, words: Words) -> Say:
    return partial(words, target.channel.language or file.language)


def _tried(keys: Sequence[Key], known: Mapping[str, Sequence[Notice]]) -> int:
    """How often the most tried of them failed before."""
    own = (one.attempts for key in keys for one in known.get(key.subject, []) if one.key == key)
    return max(own, default=0)
