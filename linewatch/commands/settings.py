"""`linewatch settings`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--table", is_flag=True, help="Only: what each is, and its default, in Markdown.")
@click.option(
    "--update",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Make that table in this Markdown page anew (docs/operations.md).",
)
def command(table: bool, page: Path | None) -> None:
    """Show every setting, its value here, and where that comes from.

    Each is an environment variable LINEWATCH_<NAME>, a line of the file that LINEWATCH_ENV_FILE
    names (else of `.env` in the data folder), or a file of that name in LINEWATCH_SECRETS_DIR; of
    several the first counts. Secrets are hidden.
    """
    if page is not None:
        from linewatch.settings.table import update

        click.echo(f"{page}: {'updated' if update(page) else 'current already'}")
    elif table:
        from linewatch.settings.table import settings_table

        click.echo(settings_table())
    else:
        _show()


def _show() -> None:
    from linewatch.settings import get_settings
    from linewatch.settings.effective import effective_settings

    rows = effective_settings(get_settings())
    name, value = (max(len(getattr(row, field)) for row in rows) for field in ("name", "value"))
    for row in rows:
        click.echo(f"{row.name:{name}}  {row.value:{min(value, 60)}}  {row.origin}")
