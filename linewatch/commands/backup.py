"""`linewatch backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.commands._output import say
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from linewatch.backup.make import Made


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--spools", "spools_only", is_flag=True, help="The spools alone, on a camera's PC.")
@click.option("--by", help="Who makes it, for the audit log [the account].")
def command(folder: Path, spools_only: bool, by: str | None) -> None:
    """Copy database, models, spools and settings into a new folder, FOLDER.

    Workers may run meanwhile. With PostgreSQL, run it as the database's owner; it needs pg_dump.
    Secrets and pictures are not copied. `linewatch restore --check FOLDER` proves the copy.
    """
    from linewatch.backup.make import make_backup
    from linewatch.settings import get_settings

    made = make_backup(folder, get_settings(), by=by or os_user(), spools_only=spools_only)
    _tell(folder, made)


def _tell(folder: Path, made: Made) -> None:
    manifest = made.manifest
    size = sum(each.bytes for each in manifest.files.values())
    say(f"{folder}: {len(manifest.files)} files, {size} bytes")
    if copy := manifest.database:
        rows = copy.rows.get("inspections", 0)
        say(f"database: {copy.kind}, revision {copy.revision}, {rows} inspections")
        say(f"models: {len(manifest.models)} versions")
    waiting = sum(spool.pictures for spool in manifest.spools)
    say(f"spools: {len(manifest.spools)}, {waiting} pictures without a receipt")
    for secret in manifest.secrets:
        say(f"not in it, keep it yourself: {secret.name} ({secret.origin})")
    for words in manifest.left_out:
        click.echo(f"left out: {words}", err=True)
    if made.not_audited:
        click.echo(f"not in the audit log: {made.not_audited}", err=True)
    say(f"manifest {made.manifest_sha256}")
