"""What people read: a subject and some lines, in their language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from db.alerting.notices import Key
from db.alerts import AlertInfo
from linewatch.alerting.due import CLOSED, REPEAT
from linewatch.alerting.quiet import SEVERITIES
from linewatch.alerting.texts import Say, said
from linewatch.plain_text import visible

MOST = 20  # alerts that a message lists
MORE = "… and {n} more"
_LONGEST = 500  # characters of each
_WORDS = {CLOSED: "over:", REPEAT: "still:"}
_SEVERAL = "Linewatch: {n} alerts"
_ONE, _ONE_ON_LINE = "Linewatch: {what}", "Linewatch: {what} on {line}"
_CLOSED_BY = "closed by {name}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `severity`: the worst in it; "over" where all that it tells is over."""

    title: str
    body: str
    severity: str


def of_alerts(
    told: Sequence[tuple[Key, AlertInfo]], *, console: str, timezone: tzinfo, say: Say
) -> Message:
    """One message of several alerts, the worst first.

    Args:
        say: our words in the language of who is told.
    """
    ordered = sorted(told, key=lambda one: (one[0].what == CLOSED, -_rank(one[1]), one[1].id))
    lines = [_line(key, alert, timezone, say) for key, alert in ordered[:MOST]]
    if len(ordered) > MOST:
        lines.append(say(MORE).format(n=len(ordered) - MOST))
    if console:
        lines += ["", f"{console.rstrip('/')}/alerts"]
    still = [alert for key, alert in ordered if key.what != CLOSED]
    severity = still[0].severity if still else "over"
    return Message(_title(ordered, say), "\n".join(lines), severity)


def _title(told: Sequence[tuple[Key, AlertInfo]], say: Say) -> str:
    if len(told) > 1:
        return say(_SEVERAL).format(n=len(told))
    key, alert = told[0]
    what = f"{_word(key, say)}{say(alert.severity)}, {alert.kind}"
    if alert.line:
        return say(_ONE_ON_LINE).format(what=what, line=_short(alert.line))
    return say(_ONE).format(what=what)


def _line(key: Key, alert: AlertInfo, timezone: tzinfo, say: Say) -> str:
    at = alert.resolved_at if key.what == CLOSED and alert.resolved_at else alert.raised_at
    when = _local(at, timezone)
    ended = f" ({say(_CLOSED_BY).format(name=_short(alert.closed_by))})" if alert.closed_by else ""
    return (
        f"{when} {say(alert.severity)} #{alert.id} {_word(key, say)}"
        f"{_short(said(alert.message, say), _LONGEST)}{ended}"
    )


def _word(key: Key, say: Say) -> str:
    word = _WORDS.get(key.what)
    return "" if word is None else f"{say(word)} "


def _local(at: datetime, timezone: tzinfo) -> str:
    return f"{at.astimezone(timezone):%Y-%m-%d %H:%M}"


def _short(text: str | None, longest: int = 80) -> str:
    words = " ".join(visible(text or "").split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _rank(alert: AlertInfo) -> int:
    names: tuple[str, ...] = SEVERITIES
    return names.index(alert.severity) if alert.severity in names else len(names)
