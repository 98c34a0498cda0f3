"""A user of each role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database_users import Users, database_users


@pytest.fixture
def users(postgresql_url: str) -> Iterator[Users]:
    with database_users(postgresql_url) as made:
        yield made
