"""What people read: a subject and some lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from db.alerting.notices import Key
from db.alerts import AlertInfo
from linewatch.alerting.due import CLOSED, REPEAT
from linewatch.alerting.quiet import SEVERITIES
from linewatch.plain_text import visible

MOST = 20  # alerts that a message lists
_LONGEST = 500  # characters of each
_WORDS = {CLOSED: "over: ", REPEAT: "still: "}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `severity`: the worst in it; "over" where all that it tells is over."""

    title: str
    body: str
    severity: str


def of_alerts(told: Sequence[tuple[Key, AlertInfo]], *, console: str, timezone: tzinfo) -> Message:
    """One message of several alerts, the worst first."""
    ordered = sorted(told, key=lambda one: (one[0].what == CLOSED, -_rank(one[1]), one[1].id))
    lines = [_line(key, alert, timezone) for key, alert in ordered[:MOST]]
    if len(ordered) > MOST:
        lines.append(f"… and {len(ordered) - MOST} more")
    if console:
        lines += ["", f"{console.rstrip('/')}/alerts"]
    still = [alert for key, alert in ordered if key.what != CLOSED]
    severity = still[0].severity if still else "over"
    return Message(_title(ordered), "\n".join(lines), severity)


def _title(told: Sequence[tuple[Key, AlertInfo]]) -> str:
    if len(told) > 1:
        return f"Linewatch: {len(told)} alerts"
    key, alert = told[0]
    where = f" on {_short(alert.line)}" if alert.line else ""
    return f"Linewatch: {_WORDS.get(key.what, '')}{alert.severity}, {alert.kind}{where}"


def _line(key: Key, alert: AlertInfo, timezone: tzinfo) -> str:
    at = alert.resolved_at if key.what == CLOSED and alert.resolved_at else alert.raised_at
    when = _local(at, timezone)
    ended = f" (closed by {_short(alert.closed_by)})" if alert.closed_by else ""
    return (
        f"{when} {alert.severity} #{alert.id} {_WORDS.get(key.what, '')}"
        f"{_short(alert.message, _LONGEST)}{ended}"
    )


def _local(at: datetime, timezone: tzinfo) -> str:
    return f"{at.astimezone(timezone):%Y-%m-%d %H:%M}"


def _short(text: str | None, longest: int = 80) -> str:
    words = " ".join(visible(text or "").split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _rank(alert: AlertInfo) -> int:
    names: tuple[str, ...] = SEVERITIES
    return names.index(alert.severity) if alert.severity in names else len(names)
