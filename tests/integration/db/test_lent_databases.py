"""A PostgreSQL database that a test gives back is lent again as if nobody had had it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from db import session
from db.alerts import open_alerts, raise_alert
from db.session import engine_for, transaction
from tests.support.postgresql import Databases


def _raised(url: str) -> int:
    with transaction(engine_for(url)) as connection:
        return raise_alert(connection, kind="drift", severity="warning", message="of a test")


@pytest.fixture
def databases(_postgresql: Databases | str) -> Iterator[Databases]:
    """Of this test alone, on the server of all."""
    if isinstance(_postgresql, str):
        pytest.skip(_postgresql)
    own = Databases(_postgresql.url)
    yield own
    session.dispose()
    own.close()


def test_rows_and_numbers_are_gone(databases: Databases) -> None:
    url = databases.lend()
    first = _raised(url)
    session.dispose()
    databases.give_back(url)
    assert databases.lend() == url
    assert open_alerts(engine_for(url)) == []
    assert _raised(url) == first, "its numbers go on where the test before left them"


def test_one_whose_schema_was_changed_is_not_lent_again(databases: Databases) -> None:
    url = databases.lend()
    with transaction(engine_for(url)) as connection:
        connection.execute(text("ALTER TABLE alerts ADD COLUMN more integer"))
    session.dispose()
    databases.give_back(url)
    assert databases.lend() != url
