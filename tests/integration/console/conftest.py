"""Consoles whose lifespan no server ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.console import close_intakes


@pytest.fixture(autouse=True)
def _intakes_are_closed() -> Iterator[None]:
    yield
    close_intakes()
