"""LitServe, as released, with its own dynamic batching or asynchronous methods: `python -m … PORT`.

`benchmarks.peers.options` lists the ways in which it is started.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import litserve

from benchmarks.peers.options import setting
from benchmarks.peers.served import BATCH_WAIT_S, MAX_BATCH, Served


class Batched(litserve.LitAPI):
    """A batch is decoded in threads and judged at once; a second worker overlaps with this one."""

    def setup(self, device: str) -> None:
        self.served = Served()

    def decode_request(self, request):  # an annotation would become the request's schema
        return str(request["path"])

    def batch(self, inputs: list[str]) -> list[str]:
        return list(inputs)

    def predict(self, paths: list[str]) -> list[dict[str, Any]]:
        return self.served.judge(self.served.prepare_all(paths))

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


class Asynchronous(litserve.LitAPI):
    """Pictures are decoded while another is judged; one by one: LitServe batches none here."""

    def setup(self, device: str) -> None:
        self.served = Served()
        self.turn = asyncio.Lock()

    async def decode_request(self, request):
        return await asyncio.to_thread(self.served.prepare, str(request["path"]))

    async def predict(self, picture: Any) -> dict[str, Any]:
        async with self.turn:  # `judge` runs in one thread
            return (await asyncio.to_thread(self.served.judge, [picture]))[0]

    async def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    api: litserve.LitAPI = (
        Asynchronous(enable_async=True)
        if setting("asynchronous", False)
        else Batched(max_batch_size=MAX_BATCH, batch_timeout=BATCH_WAIT_S)
    )
    workers = setting("workers", 1)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=workers, timeout=600)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
