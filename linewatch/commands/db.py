"""`linewatch db`: create, upgrade and inspect the database."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Create, upgrade and inspect the database that LINEWATCH_DATABASE_URL names."""


@command.command()
def upgrade() -> None:
    """Create the tables, or bring them up to date. Harmless to repeat."""
    from db import migrate
    from linewatch.settings import get_settings

    url = get_settings().sql_url
    before = migrate.current(url)
    migrate.upgrade(url)
    after = migrate.current(url)
    click.echo(f"up to date at {after}" if before == after else f"upgraded to {after}")


@command.command()
@click.option(
    "--most-rows",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="Refuse a larger table: workers wait while it is converted.",
)
def partition(most_rows: int) -> None:
    """Keep inspections in one PostgreSQL partition a month, so that old months just go.

    Converts the tables once; the nightly maintenance task makes the next months' partitions.
    """
    from db import migrate, partitions
    from db.session import engine_for, explained
    from linewatch.settings import get_settings

    settings = get_settings()
    migrate.require(settings.sql_url)
    engine = engine_for(settings.sql_url)
    ahead = settings.partition_months_ahead
    with explained(settings.sql_url):
        if partitions.partitioned(engine):
            made = partitions.make_ahead(engine, ahead)
            names = ", ".join(month.name for month in made) or "none was missing"
            click.echo(f"partitioned already; new months: {names}")
            return
        rows = partitions.convert(engine, months_ahead=ahead, most_rows=most_rows)
    click.echo(f"{rows} inspections now lie in {len(partitions.existing(engine))} months")


@command.command()
def current() -> None:
    """Print the schema's revision, or 'none'."""
    from db import migrate
    from linewatch.settings import get_settings

    click.echo(migrate.current(get_settings().sql_url) or "none")


@command.command()
def check() -> None:
    """End with code 2 and a sentence if the schema is not the one this version needs."""
    from db import migrate
    from linewatch.settings import get_settings

    migrate.require(get_settings().sql_url)
    click.echo("the schema is current")


@command.command()
@click.option("--apply", "apply_", is_flag=True, help="Run it here; without, it is printed.")
def roles(apply_: bool) -> None:
    """Write the PostgreSQL roles for workers, the console and reports, and what they may do.

    Run it as the tables' owner, after every upgrade. Then give each program a user of its own:
    CREATE USER line3 PASSWORD '…' IN ROLE linewatch_worker.
    """
    from db import migrate
    from db import roles as database_roles
    from db.session import engine_for, explained
    from linewatch.settings import get_settings

    if not apply_:
        for statement in database_roles.statements():
            click.echo(f"{statement};")
        return
    url = get_settings().sql_url
    migrate.require(url)
    with explained(url):
        database_roles.apply(engine_for(url))
    click.echo("the roles are there, and may do what they need and no more")
