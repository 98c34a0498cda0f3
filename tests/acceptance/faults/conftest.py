"""The short run takes SQLite where the database makes no difference; the long one takes both."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
