"""Which alerts a channel is told of now: raised, once more, or over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from db.alerting.notices import Key, Notice, subject_of
from db.alerts import AlertInfo
from linewatch.alerting.quiet import at_least
from linewatch.alerting.rules import Channel

RAISED, REPEAT, CLOSED = "raised", "repeat", "closed"


def due(
    name: str,
    channel: Channel,
    alert: AlertInfo,
    notices: Sequence[Notice],
    now: datetime,
    timezone: tzinfo,
) -> Key | None:
    """What this channel is to be told of an alert now; None: nothing, or not yet.

    Args:
        name: the channel's.
        notices: of this alert, of all channels.
        timezone: the plant's, which quiet hours follow.
    """
    if not concerns(channel, alert) or _is_quiet(channel, alert, now.astimezone(timezone)):
        return None
    own = [one for one in notices if one.key.channel == name]
    key = _next(name, channel, alert, own, now)
    if key is None:
        return None
    pending = next((one for one in own if one.key == key), None)
    if pending is not None and pending.next_at is not None and pending.next_at > now:
        return None  # it failed, or another notifier is about it
    return key


def concerns(channel: Channel, alert: AlertInfo) -> bool:
    """Whether the channel is about such alerts at all."""
    return (
        channel.alerts
        and at_least(alert.severity, channel.at_least)
        and (not channel.kinds or alert.kind in channel.kinds)
        and (not channel.lines or alert.line is None or alert.line in channel.lines)
    )


def _is_quiet(channel: Channel, alert: AlertInfo, local: datetime) -> bool:
    quiet = channel.quiet
    return quiet is not None and quiet.holds(local) and not at_least(alert.severity, quiet.but_tell)


def _next(
    name: str, channel: Channel, alert: AlertInfo, own: Sequence[Notice], now: datetime
) -> Key | None:
    """What comes next for the channel, be it told, pending or new."""
    subject, told = subject_of(alert.id), _told(own)
    raised = any(one.key.what == RAISED for one in told)
    if alert.state == "closed":
        over = any(one.key.what == CLOSED for one in told)
        return Key(subject, name, CLOSED) if channel.tell_closed and raised and not over else None
    if alert.state == "acknowledged":
        return None
    if not raised:
        return Key(subject, name, RAISED)
    if channel.repeat_min is None:
        return None
    last = max(one.told_at for one in told if one.told_at is not None)
    if now - last < timedelta(minutes=channel.repeat_min):
        return None
    return Key(subject, name, REPEAT, 1 + sum(one.key.what == REPEAT for one in told))


def _told(notices: Iterable[Notice]) -> list[Notice]:
    return [one for one in notices if one.told_at is not None]
