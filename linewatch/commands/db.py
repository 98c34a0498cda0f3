"""`linewatch db`: create, upgrade and inspect the database."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Create, upgrade and inspect the database that LINEWATCH_DATABASE_URL names."""


@command.command()
def upgrade() -> None:
    """Create the tables, or bring them up to date, and make shifts ahead. Harmless to repeat.

    `linewatch backup FOLDER` before it is the way back.
    """
    from db import migrate, roles
    from db.calendars.ahead import ensure_spans
    from db.parts import backfill as parts
    from db.session import engine_for, explained, transaction
    from linewatch.settings import get_settings

    settings = get_settings()
    url = settings.sql_url
    before = migrate.current(url)
    migrate.upgrade(url)
    after = migrate.current(url)
    with explained(url), transaction(engine_for(url)) as connection:
        ensure_spans(connection, settings.timezone)
    click.echo(f"up to date at {after}" if before == after else f"upgraded to {after}")
    if before not in (None, after) and roles.given(engine_for(url)):
        click.echo(
            "the roles have the rights of before: run `linewatch db roles --apply` before programs "
            "of this version start"
        )
    if parts.pending(engine_for(url)):
        click.echo(
            "inspections of before are not counted as parts yet: tonight's maintenance does it, or "
            "`linewatch db backfill` now"
        )


@command.command()
@click.option(
    "--logins",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the files database_url_ROLE, of which to make the users.",
)
@click.option(
    "--products",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of product files to register.",
)
def prepare(logins: Path | None, products: Path | None) -> None:
    """Upgrade the schema, make roles and users, register products: what a plant needs to start.

    Run it as the database's owner. A second run does what has become necessary since, or nothing.
    """
    from linewatch.first_start.database import login_urls
    from linewatch.first_start.prepare import prepare as prepared
    from linewatch.os_user import os_user
    from linewatch.settings import get_settings

    settings = get_settings()
    urls = login_urls(logins) if logins else None
    done = list(
        prepared(
            settings.sql_url,
            logins=urls,
            products=products,
            by=os_user(),
            timezone=settings.timezone,
        )
    )
    click.echo("\n".join(done) or "nothing to do")


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
    from db import migrate
    from db.retention import partitions
    from db.session import engine_for, explained, transaction
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
        with transaction(engine) as connection:
            rows = partitions.convert(connection, months_ahead=ahead, most_rows=most_rows)
        partitions.analyse(engine)
    click.echo(f"{rows} inspections now lie in {len(partitions.existing(engine))} months")


@command.command()
def backfill() -> None:
    """Count the inspections of before version 0.2 as parts, while workers run.

    The nightly maintenance task does it too. It can be stopped at any moment, and goes on where it
    was.
    """
    from db.parts import backfill as parts
    from linewatch.commands._database import opened

    engine, total = opened(), 0
    for counted in parts.backfill(engine):
        total += counted
        click.echo(f"{total} inspections counted")
    click.echo("every inspection is counted" if total else "nothing to do")


@command.command()
@click.option("--since", help="Parts made from then on: 2026-01-31, 7d; without, all of them.")
@click.option("--until", help="Parts made before then.")
@click.option(
    "--check", "only_check", is_flag=True, help="Change nothing; end with code 1 if wrong."
)
@click.pass_context
def recount(context: click.Context, since: str | None, until: str | None, only_check: bool) -> None:
    """Prove that parts and their counts are what pictures and people say, and mend them.

    Workers and people go on meanwhile. What cannot be proven because pictures are purged is named
    and left. Run it as the database's owner or as maintenance.
    """
    from linewatch.commands._recount import recounted

    if recounted(since, until, only_check=only_check):
        context.exit(1)


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
    """Write the PostgreSQL roles for workers, maintenance, the console and reports.

    Run it as the tables' owner or a superuser, after every upgrade. Give each program a user of
    its own: CREATE USER line3 PASSWORD '…' IN ROLE linewatch_worker. Then run it again: timeouts
    are set for users, not for roles. What a role may no longer do is taken from it.
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
        left_undone = database_roles.apply(engine_for(url))
    for words in left_undone:
        click.echo(f"left undone: {words}", err=True)
    click.echo("the roles are there, and may do what they need and no more")
