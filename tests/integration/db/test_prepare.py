"""`linewatch db prepare`: schema, roles, users and products, and nothing the second time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from db import products
from db.session import engine_for, reading, transaction
from linewatch.errors import ConfigurationError, DatabaseError
from linewatch.first_start.prepare import prepare

PRODUCT = "product: widget\nclasses:\n- {code: good, good: true}\n- {code: scratch}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "widget.yaml").write_text(PRODUCT)
    return tmp_path / "products"


@pytest.fixture
def prefix(empty_postgresql_url: str) -> Iterator[str]:
    """Roles belong to the whole server: these are the test's own, and gone afterwards."""
    name = f"lw_{secrets.token_hex(4)}"
    yield name
    with transaction(engine_for(empty_postgresql_url)) as connection:
        for role in ("worker", "maintenance", "console", "reports"):
            for found in (f"{name}_{role}", f"{name}_{role}_user"):
                known = text("SELECT 1 FROM pg_roles WHERE rolname = :n")
                if connection.execute(known, {"n": found}).scalar():
                    connection.execute(text(f"DROP OWNED BY {found}"))
                    connection.execute(text(f"DROP ROLE {found}"))


def logins(url: str, prefix: str) -> dict[str, str]:
    return {
        role: make_url(url)
        .set(username=f"{prefix}_{role}_user", password=f"it's {role} %41 \\ word")
        .render_as_string(hide_password=False)
        for role in ("worker", "maintenance", "console", "reports")
    }


def test_everything_is_made_once(empty_postgresql_url: str, prefix: str, folder: Path) -> None:
    url = empty_postgresql_url
    users = logins(url, prefix)
    first = list(prepare(url, logins=users, products=folder, prefix=prefix))
    assert first[0].startswith("database: schema 0")
    assert first[1:] == [
        "database: shifts made ahead",
        *(f"database: user {prefix}_{role}_user" for role in users),
        "product: widget",
    ]
    assert list(prepare(url, logins=users, products=folder, prefix=prefix)) == []
    assert "widget" in products.all_products(engine_for(users["worker"]))  # it can log in
    with (
        pytest.raises(DBAPIError, match="must be owner"),
        transaction(engine_for(users["worker"])) as connection,
    ):
        connection.execute(text("DROP TABLE labels"))
    with reading(engine_for(users["reports"])) as connection:
        connection.execute(text("SELECT * FROM report_pareto"))


def test_a_product_file_that_changed_is_registered_again(sqlite_url: str, folder: Path) -> None:
    assert list(prepare(sqlite_url, products=folder)) == [
        "database: shifts made ahead",
        "product: widget",
    ]
    (folder / "widget.yaml").write_text(f"{PRODUCT}- {{code: hole}}\n")
    assert list(prepare(sqlite_url, products=folder)) == ["product: widget"]
    assert list(prepare(sqlite_url, products=folder)) == []


def test_what_cannot_be_is_a_sentence(sqlite_url: str, folder: Path) -> None:
    with pytest.raises(DatabaseError, match="SQLite has no roles"):
        list(prepare(sqlite_url, logins={"worker": "postgresql://u:p@h/d"}))
    with pytest.raises(ConfigurationError, match="worker must name a user"):
        list(prepare(sqlite_url, logins={"worker": "postgresql://h/d"}))
