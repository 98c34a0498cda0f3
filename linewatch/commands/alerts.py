"""`linewatch alerts`."""

from __future__ import annotations

import logging
import signal
from threading import Event
from typing import TYPE_CHECKING

import click

from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.errors import AlertError
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from db.alerts import AlertInfo

_BY = click.option("--by-whom", "who", default=os_user, help="Who does it; default: you.")
_NOTE = click.option("--note", default="", help="What is done about it.")
_COLUMNS = (
    *("alert", "raised_at", "state", "severity", "kind", "line", "product", "seen_to_by"),
    "message",
)


@click.group()
def command() -> None:
    """List, acknowledge and close alerts; tell people of them.

    The file that LINEWATCH_ALERTS_FILE names says which conditions raise alerts, and who is told.
    """


@command.command("list")
@click.option(
    "--state",
    default="standing",
    show_default=True,
    type=click.Choice(["standing", "open", "acknowledged", "closed", "all"]),
    help="Standing: open or acknowledged.",
)
@click.option("--line", help="Only of this line.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1))
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(state: str, line: str | None, limit: int, format_: str) -> None:
    """List alerts, newest first."""
    from db.alerting import seen_to
    from linewatch.commands._database import opened

    found = seen_to.read(opened(), state=state, line=line, limit=limit)
    write_rows(
        [_cells(alert) for alert in found.alerts],
        format_,
        columns=_COLUMNS,
        title="Alerts",
        empty="no such alert",
    )


@command.command()
@click.argument("alert", type=int)
@_NOTE
@_BY
def ack(alert: int, note: str, who: str) -> None:
    """Acknowledge ALERT: you take care of it, and nobody is told again."""
    from db.alerting import seen_to
    from db.session import transaction
    from linewatch.commands._database import opened

    with transaction(opened()) as connection:
        seen_to.acknowledge(connection, alert, by=who, note=note)
    say(f"alert {alert}: acknowledged by {who}")


@command.command()
@click.argument("alert", type=int)
@_NOTE
@_BY
def close(alert: int, note: str, who: str) -> None:
    """Close ALERT. What still is so raises it again only after it was otherwise."""
    from db.alerting import seen_to
    from db.session import transaction
    from linewatch.commands._database import opened

    with transaction(opened()) as connection:
        seen_to.close(connection, alert, by=who, note=note)
    say(f"alert {alert}: closed by {who}")


@command.command()
@click.argument("channel", required=False)
def test(channel: str | None) -> None:
    """Check the alerts file, and send a test message to CHANNEL, or to every channel.

    Why an address did not take it is written to standard error; then the exit code is 1.
    """
    from linewatch.alerting.file import addresses, alerts_of
    from linewatch.alerting.messages import Message
    from linewatch.alerting.sending import Sender
    from linewatch.alerting.telling import targets
    from linewatch.extras import need
    from linewatch.nearest import did_you_mean
    from linewatch.settings import get_settings

    need("apprise")
    settings = get_settings()
    file = alerts_of(settings)
    if channel is not None and channel not in file.channels:
        raise AlertError(f"no channel is called {channel!r}{did_you_mean(channel, file.channels)}")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")  # Apprise says why there
    sender, failed = Sender(addresses(settings)), False
    message = Message("Linewatch: test", f"A test, sent by {os_user()}.", "info")
    if not file.channels:
        say("the alerts file names no channel, so nobody is told; see docs/alerts.md")
    for target in targets(file):
        if channel is None or target.channel is file.channels[channel]:
            try:
                problem = sender.send(target.address, message)
            except AlertError as error:
                problem = str(error)
            say(f"{target.name}: {problem or 'sent'}")
            failed = failed or problem is not None
    if failed:
        raise SystemExit(1)


@command.command()
def run() -> None:
    """Look for conditions, raise alerts, tell people, until a signal ends it.

    Run as many as you like: one of them works, and another takes its place within a minute.
    """
    from console.words import say as words
    from linewatch.alerting.file import addresses, alerts_of
    from linewatch.alerting.notifier import Notifier
    from linewatch.alerting.sending import Sender
    from linewatch.commands._database import opened
    from linewatch.extras import need
    from linewatch.settings import get_settings

    need("apprise", "babel", "celery")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("alembic", "apprise"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    settings = get_settings()
    file = alerts_of(settings)
    notifier = Notifier(opened(), settings, file, Sender(addresses(settings)), words=words)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    told = ", ".join(file.channels) or "nobody: LINEWATCH_ALERTS_FILE names no channel"
    say(f"{notifier.name} tells {told}")
    notifier.run(stop)


@command.command()
def working() -> None:
    """Say which notifier works. Exits with code 1 where none does: a health check."""
    from db.alerting import leases
    from linewatch.alerting.notifier import LEASE
    from linewatch.commands._database import opened

    found = leases.holder(opened(), LEASE)
    if found is None or not found.alive:
        say("no notifier works; start `linewatch alerts run`")
        raise SystemExit(1)
    say(f"{found.name} works")


def _cells(alert: AlertInfo) -> dict[str, str | int | None]:
    return {
        "alert": alert.id,
        "raised_at": f"{alert.raised_at:%Y-%m-%d %H:%M:%S} UTC",
        "state": alert.state,
        "severity": alert.severity,
        "kind": alert.kind,
        "line": alert.line,
        "product": alert.product,
        "seen_to_by": alert.closed_by or alert.acknowledged_by,
        "message": alert.message,
    }
