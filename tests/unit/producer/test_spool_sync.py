"""What was accepted is on disk: a camera's spool syncs as its settings say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.settings import Settings
from producer.camera import Camera
from producer.spool import Spool

FULL, NORMAL = 2, 1  # https://sqlite.org/pragma.html#pragma_synchronous


def synchronous(spool: Spool) -> int:
    with spool.read() as db:
        return int(db.execute("PRAGMA synchronous").fetchone()[0])


@pytest.mark.parametrize(("sync", "level"), [(None, FULL), ("full", FULL), ("normal", NORMAL)])
def test_a_cameras_spool_syncs_as_the_settings_say(
    make_settings: Callable[..., Settings], tmp_path: Path, sync: str | None, level: int
) -> None:
    chosen = {} if sync is None else {"spool_sync": sync}
    settings = make_settings(redis_url="redis://127.0.0.1:1/0", **chosen)
    with Camera(line="L1", camera="C1", product="cable", settings=settings) as camera:
        assert synchronous(camera.spool) == level
        with camera.spool.read() as db:
            assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_spool_syncs_unless_told_otherwise(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    assert synchronous(spool) == FULL
    spool.close()
