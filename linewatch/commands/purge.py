"""`linewatch purge`."""

from __future__ import annotations

import click

from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.os_user import os_user


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def command(dry_run: bool, format_: str) -> None:
    """Delete what is older than the retention settings allow, now.

    The maintenance task does the same every night. A labelled or golden picture is never touched.
    Sessions and links that ended, and notices of alerts that are over, are of no product.
    Picture files are deleted only beneath the image roots, and only if
    LINEWATCH_RETENTION_DELETE_FILES is true.
    """
    from db import migrate
    from db.session import engine_for
    from linewatch.settings import get_settings
    from workers.retention.ended import preview_ended, run_ended
    from workers.retention.purge import Purge

    settings, by = get_settings(), os_user()
    migrate.require(settings.sql_url)
    engine = engine_for(settings.sql_url)
    purge = Purge(engine, settings, by=by)
    found = purge.preview() if dry_run else purge.run()
    ended = preview_ended(engine, settings) if dry_run else run_ended(engine, settings, by=by)
    gone = [
        *((one.kind, one.product or "(unregistered)", one.before, one.count) for one in found),
        *((one.kind, "", one.before, one.count) for one in ended),
    ]
    if not found:
        words = "all else is kept for ever; see LINEWATCH_RETENTION_* in docs/operations.md"
        say(words, err=format_ != "table")
    gone_now = "would_go" if dry_run else "purged"
    write_rows(
        [
            {
                "kind": str(kind),
                "product": product,
                "before": f"{before:%Y-%m-%d %H:%M} UTC",
                gone_now: count,
            }
            for kind, product, before, count in gone
        ],
        format_,
        columns=("kind", "product", "before", gone_now),
        title="Would be purged" if dry_run else "Purged",
        empty="",
    )
