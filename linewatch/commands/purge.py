"""`linewatch purge`."""

from __future__ import annotations

import click

from linewatch.commands._output import FORMATS, write_rows
from linewatch.os_user import os_user


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def command(dry_run: bool, format_: str) -> None:
    """Delete what is older than the retention settings allow, now.

    The maintenance task does the same every night. A labelled or golden picture is never touched.
    Picture files are deleted only beneath the image roots, and only if
    LINEWATCH_RETENTION_DELETE_FILES is true.
    """
    from db import migrate
    from db.session import engine_for
    from linewatch.settings import get_settings
    from workers.retention.purge import Purge

    settings = get_settings()
    migrate.require(settings.sql_url)
    purge = Purge(engine_for(settings.sql_url), settings, by=os_user())
    found = purge.preview() if dry_run else purge.run()
    write_rows(
        [
            {
                "kind": str(item.kind),
                "product": item.product or "(unregistered)",
                "before": f"{item.before:%Y-%m-%d %H:%M} UTC",
                "would_go" if dry_run else "purged": item.count,
            }
            for item in found
        ],
        format_,
        title="Would be purged" if dry_run else "Purged",
        empty="everything is kept for ever; see LINEWATCH_RETENTION_* in docs/operations.md",
    )
