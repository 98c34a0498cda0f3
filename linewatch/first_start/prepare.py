"""Brings a database to where programs can start: schema, roles, users, products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from pathlib import Path

from linewatch.products import load_product, product_files


def prepare(
    url: str,
    *,
    logins: Mapping[str, str] | None = None,
    products: Path | None = None,
    by: str = "linewatch",
    timezone: tzinfo = UTC,
    prefix: str | None = None,
) -> Iterator[str]:
    """Do what is missing; yields a line for each thing done, and nothing where all was there.

    Args:
        url: of the database's owner.
        logins: role to URL, see `db.logins.apply`; None: none are made (SQLite has none).
        products: a folder of product files; those that changed are registered again.
        by: who the audit log says registered them.
        timezone: the plant's, for its shifts.
        prefix: of the roles' names.

    Raises:
        LinewatchError: the database does not answer or refuses, or a product file is wrong.
    """
    from db import logins as database_logins
    from db import migrate, roles
    from db import products as stored
    from db.calendars.ahead import ensure_spans
    from db.session import engine_for, explained, transaction

    specs = [load_product(path) for path in product_files(products)] if products else []
    before = migrate.current(url)
    migrate.upgrade(url)
    if (after := migrate.current(url)) != before:
        yield f"database: schema {after}"
    engine = engine_for(url)
    with explained(url):
        with transaction(engine) as connection:
            made = ensure_spans(connection, timezone)
        if made:
            yield "database: shifts made ahead"
        if logins:
            users = database_logins.apply(engine, logins, prefix or roles.PREFIX)
            yield from (f"database: user {name}" for name in users)
        known = stored.all_products(engine)
        for spec in specs:
            if known.get(spec.product) != spec:
                with transaction(engine) as connection:
                    stored.register(connection, spec, by=by)
                yield f"product: {spec.product}"
