"""`/alerts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Annotated

from fastapi import Query

from console.access.roles import Role
from console.page import Page, Visit
from console.pages.alerts.context import AlertRow, Alerts, ChannelRow
from db.alerting import leases, notices, seen_to
from db.alerting.notices import Notice
from db.alerts import AlertInfo
from linewatch.alerting.file import load
from linewatch.alerting.notifier import LEASE
from linewatch.alerting.rules import Channel
from linewatch.errors import AlertError
from linewatch.settings import Settings

_PAGE = 50


@dataclass(frozen=True)
class Asked:
    """Which alerts."""

    state: Annotated[
        str, Query(description="standing (open or acknowledged), open, acknowledged, closed, all.")
    ] = "standing"
    line: Annotated[str | None, Query(description="Only of this line.", max_length=200)] = None
    kind: Annotated[str | None, Query(description="Only of this kind.", max_length=100)] = None
    after: Annotated[int | None, Query(description="Older than this one.", ge=1)] = None


def read(visit: Visit, query: Asked) -> Alerts:
    """The alerts, and who is told."""
    engine, timezone = visit.site.engine, visit.site.settings.timezone
    line, kind = query.line or None, query.kind or None
    found = seen_to.read(
        engine, state=query.state, line=line, kind=kind, after=query.after, limit=_PAGE
    )
    told = notices.of_alerts(engine, [one.id for one in found.alerts])
    works = leases.holder(engine, LEASE)
    channels, problem = _channels(visit.site.settings)
    return Alerts(
        at=datetime.now(UTC),
        notifier=works.name if works is not None and works.alive else "",
        problem=problem,
        channels=channels,
        alerts=[
            _row(one, told.get(notices.subject_of(one.id), []), timezone) for one in found.alerts
        ],
        state=query.state,
        line=line,
        kind=kind,
        after=found.alerts[-1].id if found.more else None,
    )


def _row(alert: AlertInfo, told: list[Notice], timezone: tzinfo) -> AlertRow:
    return AlertRow(
        alert=alert.id,
        raised_at=alert.raised_at,
        state=alert.state,
        severity=alert.severity,
        kind=alert.kind,
        line=alert.line,
        product=alert.product,
        source=alert.source,
        message=alert.message,
        acknowledged_by=alert.acknowledged_by,
        acknowledged_at=alert.acknowledged_at,
        closed_at=alert.resolved_at,
        closed_by=alert.closed_by,
        note=alert.note,
        told=", ".join(_words(notice, timezone) for notice in told),
    )


def _words(notice: Notice, timezone: tzinfo) -> str:
    what = "" if notice.key.what == "raised" else f" ({notice.key.what})"
    if notice.told_at is None:
        return f"{notice.key.channel}{what}: {notice.problem or 'being told'}"
    return f"{notice.key.channel}{what} {notice.told_at.astimezone(timezone):%Y-%m-%d %H:%M}"


def _channels(settings: Settings) -> tuple[list[ChannelRow], str]:
    """Of the file, or what is wrong with it: the page shows alerts all the same."""
    if settings.alerts_file is None:
        return [], ""
    try:
        file = load(settings.alerts_file)  # the console need not know the addresses
    except AlertError as error:
        return [], str(error)
    return [_channel(name, channel) for name, channel in file.channels.items()], ""


def _channel(name: str, channel: Channel) -> ChannelRow:
    quiet = channel.quiet
    return ChannelRow(
        channel=name,
        addresses=len(channel.to),
        at_least=channel.at_least,
        chosen=", ".join((*channel.kinds, *channel.lines)),
        quiet="" if quiet is None else f"{quiet.starts:%H:%M}–{quiet.ends:%H:%M}",
        repeat_min=channel.repeat_min,
        summary=channel.summary,
    )


PAGE = Page(
    name="alerts",
    path="/alerts",
    title="Alerts",
    role=Role.VIEWER,
    query=Asked,
    context=Alerts,
    read=read,
    template="alerts/page.html",
    rows="alerts",
    menu=80,
)
