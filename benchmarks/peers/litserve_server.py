"""LitServe, as released, with its own dynamic batching: `python -m … PORT`."""

from __future__ import annotations

import sys
from typing import Any

import litserve

from benchmarks.peers.served import BATCH_WAIT_S, MAX_BATCH, Served


class Api(litserve.LitAPI):
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


if __name__ == "__main__":
    api = Api(max_batch_size=MAX_BATCH, batch_timeout=BATCH_WAIT_S)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=600)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
