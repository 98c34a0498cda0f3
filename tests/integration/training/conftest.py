"""A plant in small that learns; files whose plant is another have a fixture of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.bench import Bench, few_parts


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Bench:
    return Bench(engine, few_parts(tmp_path))
