"""`linewatch settings`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--update",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Make the table in this Markdown page anew (docs/operations.md).",
)
def command(page: Path | None) -> None:
    """Print every setting, what it is, and where it may be set.

    Each is an environment variable LINEWATCH_<NAME>, a line in `.env`, or a file of that name in
    the folder LINEWATCH_SECRETS_DIR.
    """
    from linewatch.settings_table import settings_table, update

    if page is None:
        click.echo(settings_table())
    else:
        click.echo(f"{page}: {'updated' if update(page) else 'current already'}")
