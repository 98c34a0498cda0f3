"""`linewatch restore`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from linewatch.doctor.findings import Finding
_COLUMNS = ("check", "state", "detail")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Only say whether the backup holds.")
@click.option("--spools", "spools_only", is_flag=True, help="Put the spools back, nothing else.")
@click.option("--by", help="Who restores it, for the audit log [the account].")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def command(folder: Path, only_check: bool, spools_only: bool, by: str | None, format_: str) -> int:
    """Bring a backup back into an empty database and store, or check it.

    Stop workers and beat before. Nothing is overwritten. Then, and with --check, files, rows, audit
    log, roll-ups and models are compared with what the backup says; it ends with 1 where they
    differ. --spools belongs on the cameras' machine, with the programs that submit stopped.
    """
    from linewatch.settings import get_settings

    if only_check and spools_only:
        raise click.UsageError("--check looks at the whole backup; leave --spools out")
    settings = get_settings()
    if spools_only:
        from linewatch.backup.folder import whole
        from linewatch.backup.spools import restore_spools

        for words in restore_spools(folder, whole(folder), settings.spool_folder):
            say(words)
        return 0
    if only_check:
        from linewatch.backup.check import check_backup

        return _told(check_backup(folder, settings), "Checked", format_)
    from linewatch.backup.restore import restore

    return _told(restore(folder, settings, by=by or os_user()), "Restored", format_)


def _told(findings: Iterable[Finding], title: str, format_: str) -> int:
    """Write what was found; 1 where something does not hold."""
    found = list(findings)
    rows = [{"check": f.check, "state": str(f.state), "detail": f.detail} for f in found]
    write_rows(rows, format_, columns=_COLUMNS, title=title, empty="there is nothing to check")
    return int(any(finding.state == "fail" for finding in found))
