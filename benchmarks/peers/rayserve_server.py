"""Ray Serve, as released, with `serve.batch`: `python -m … PORT`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import Any

os.environ["RAY_usage_stats_enabled"] = "0"  # noqa: SIM112 - Ray's own spelling

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.peers.options import setting
from benchmarks.peers.served import BATCH_WAIT_S, MAX_BATCH, Served

_CORES = os.cpu_count() or 1
_OBJECT_STORE = 100 * 2**20  # bytes; only paths and verdicts pass through it


_REPLICAS = setting("replicas", 1)
_WAIT_S = setting("batch_wait_s", BATCH_WAIT_S)


# Ray gives torch as many threads as the actor has CPUs.
@serve.deployment(
    num_replicas=_REPLICAS,
    max_ongoing_requests=512,
    ray_actor_options={"num_cpus": max(1, _CORES // _REPLICAS)},
)
class Inspector:
    def __init__(self) -> None:
        self.served = Served()

    @serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=_WAIT_S)
    async def judge(self, pictures: list[Any]) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self.served.judge, pictures)

    async def __call__(self, request: Request) -> dict[str, Any]:
        path = (await request.json())["path"]
        return await self.judge(await asyncio.to_thread(self.served.prepare, path))


if __name__ == "__main__":
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ray.init(
        num_cpus=2 * _CORES,
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE,
        log_to_driver=False,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Inspector.bind(), route_prefix="/predict")
    stop.wait()
    serve.shutdown()
    ray.shutdown()
