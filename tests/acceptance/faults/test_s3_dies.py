"""The S3 server that the pictures lie on is killed under load, and comes back."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from producer.contract import Reason, Verdict
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.live import Live
from tests.support.s3_server import S3Server, s3_server

pytestmark = [pytest.mark.timeout(3600), pytest.mark.slow]

PICTURES = [f"line-1/{number}.png" for number in range(20)]


def filled(server: S3Server, data: bytes) -> None:
    for key in PICTURES:
        server.client().put_object(Bucket="pictures", Key=key, Body=data)


def test_an_s3_server_is_killed_under_load(plant: Live) -> None:
    """While it is away each picture is rejected in time, and says so; then all are judged again."""
    data = plant.picture().read_bytes()
    rounds, slowest_s = times(short=1, long=10), 0.0
    accepted: list[UUID] = []
    with s3_server("pictures") as server, plant.camera() as camera:
        filled(server, data)
        environment = server.environment("pictures")
        plant.worker(LINEWATCH_S3_TIMEOUT_S="2", **environment)

        def submitted() -> list[UUID]:
            ids = [camera.submit(f"s3://pictures/{key}") for key in PICTURES]
            accepted.extend(ids)
            return ids

        for _ in range(rounds):
            plant.wait_for(submitted())
            under_way = submitted()
            server.kill()
            away = submitted()
            found = plant.wait_for([*under_way, *away], 120)
            ended = {(found[id_].verdict, found[id_].reason) for id_ in away}
            assert ended == {(Verdict.REJECTED, Reason.UNREADABLE)}
            server.start("pictures")
            filled(server, data)
            began = time.monotonic()
            found = plant.wait_for(submitted(), 60)
            slowest_s = max(slowest_s, time.monotonic() - began)
            assert all(outcome.verdict.judged for outcome in found.values())
        assert camera.wait(60)
    noted(plant, "S3 server of the pictures SIGKILLed", rounds, check(plant, accepted), slowest_s)
