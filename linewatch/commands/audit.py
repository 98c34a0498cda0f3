"""`linewatch audit`."""

from __future__ import annotations

import json

import click

from linewatch.commands._output import FORMATS, write_rows

_COLUMNS = ("at", "actor", "os_user", "database_user", "action", "subject", "detail")


@click.group()
def command() -> None:
    """Check and list the audit log: who promoted, labelled, requeued, purged."""


@command.command()
@click.option("--head", help="A hash noted earlier, which must still be in the log.")
def verify(head: str | None) -> None:
    """Check the chain of hashes; ends with 1 if an entry was changed, removed or cut off.

    It prints the chain's head. Keep that somewhere else now and then: whoever can write to the
    database could write the whole chain anew, and only a head kept elsewhere shows it.
    """
    from db import audit
    from db.session import default_engine

    found = audit.verify(default_engine(), head=head)
    if found.problem:
        click.echo(f"the audit log does not hold: {found.problem}", err=True)
        raise SystemExit(1)
    click.echo(f"{found.entries} entries hold; head {found.head}")


@command.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1))
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(limit: int, format_: str) -> None:
    """List the newest entries, newest first.

    `actor` is the name that was given; `os_user` is whose process it was, as its system says, and
    `database_user` as whom PostgreSQL had let it in.
    """
    from db import audit
    from db.session import default_engine

    rows: list[dict[str, str]] = [
        {
            "at": f"{deed.at:%Y-%m-%d %H:%M:%S} UTC",
            "actor": deed.actor,
            "os_user": "" if deed.os_uid is None else f"{deed.os_user} ({deed.os_uid})",
            "database_user": deed.database_user or "",
            "action": deed.action,
            "subject": deed.subject,
            "detail": json.dumps(deed.detail, ensure_ascii=False),
        }
        for deed in audit.newest(default_engine(), limit)
    ]
    write_rows(rows, format_, columns=_COLUMNS, title="Audit log", empty="the audit log is empty")
