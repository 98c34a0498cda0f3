"""A Linewatch that shares its Redis database: each of its keys begins with its prefix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from linewatch.doctor.diagnosis import examine
from linewatch.doctor.findings import State
from linewatch.redis_access.acl import ROLES, acl_file, password_hash, producer_role
from linewatch.redis_access.client import quick_client
from linewatch.redis_access.keys import HELD
from linewatch.settings import Settings
from producer.queue_state import queue_state
from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import PATIENCE, Live, live
from tests.support.redis_server import RedisServer

PREFIX = "hall-7:"
PASSWORD = "a password that is long"


@pytest.fixture
def redis_with_users(tmp_path: Path) -> Iterator[RedisServer]:
    """Whose users may touch what begins with the prefix, and nothing else."""
    folder = tmp_path / "redis"
    folder.mkdir()
    users = folder / "users.acl"
    hashes = {role.name: password_hash(PASSWORD) for role in ROLES}
    users.write_text(acl_file(ROLES, hashes, prefix=PREFIX))
    server = RedisServer(folder, "admin", PASSWORD.replace(" ", "%20"), aclfile=str(users))
    server.start(appendonly="no")
    yield server
    server.stop()


@pytest.fixture
def plant(
    sqlite_url: str,
    redis_with_users: RedisServer,
    weights_dir: Path,
    tmp_path: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    url = redis_with_users.url.replace("admin:", "worker:")
    settings = plant_settings(tmp_path, sqlite_url, url, weights_dir)
    yield from live(settings.model_copy(update={"redis_key_prefix": PREFIX}))


def _as(user: str, settings: Settings) -> Settings:
    return settings.model_copy(update={"redis_url": settings.redis_url.replace("worker:", user)})


def test_a_picture_goes_in_and_its_receipt_comes_back_and_no_key_lies_outside(
    plant: Live, redis_with_users: RedisServer
) -> None:
    everybody = _as("admin:", plant.settings)
    plant.worker()
    plant.settings = everybody  # cameras of this test have no user of their own
    with plant.camera() as camera, quick_client(everybody) as client:
        ids = [camera.submit(plant.picture()) for _ in range(20)]
        assert camera.wait(timeout=60 * PATIENCE)
        plant.until(lambda: client.hlen(HELD) == 0, 20, "acknowledgements")
        assert queue_state(client).depth == 0
    assert {receipt.id for receipt in plant.receipts} == set(ids)
    assert len(plant.outcomes(ids)) == 20
    findings = list(examine(_as("ops:", everybody)))
    assert [f for f in findings if f.check == "worker" and f.state is State.OK], findings

    with redis_with_users.client() as client:
        keys = client.keys("*")
        assert keys
        assert [key for key in keys if not key.startswith(PREFIX)] == []
        # Of channels too: remote control was answered above, and its user may use no others.
        denied = {(entry["reason"], entry["object"]) for entry in client.acl_log()}
        assert denied <= {("command", "client|setinfo")}


def test_a_message_of_a_worker_that_died_comes_back(
    plant: Live, redis_with_users: RedisServer
) -> None:
    """Its lease was noted, and is looked for, under the prefix."""
    settings = _as("admin:", plant.settings)
    with quick_client(settings) as client:
        dies = plant.worker("first", include="tests.acceptance.faults.killed_taking")
        plant.settings = settings
        with plant.camera() as camera:
            camera.submit(plant.picture())
            plant.until(lambda: dies.process.poll() is not None, 60, "a worker that died")
            plant.group.services.remove(dies)
            assert client.hlen(HELD) == 1
            plant.settings = _as("worker:", settings)
            plant.worker("second")
            assert camera.wait(timeout=90 * PATIENCE)


def test_a_camera_needs_no_more_than_its_role_with_the_prefix() -> None:
    (line,) = [
        line
        for line in acl_file(
            [producer_role("pc-1")], {"producer-pc-1": "0" * 64}, prefix=PREFIX
        ).splitlines()
        if "producer-pc-1" in line
    ]
    assert f"~{PREFIX}inspect " in line
    assert f"~{PREFIX}linewatch:receipts:pc-1-" in line
