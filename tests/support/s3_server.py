"""An S3 server of a test's own, in a process that can be killed: moto's, on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

KEY, SECRET, REGION = "key", "secret", "us-east-1"
_START = "from moto.server import main; import sys; main(['-H', '127.0.0.1', '-p', sys.argv[1]])"


class S3Server:
    """Keeps its objects in memory: what is killed comes back empty."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, bucket: str) -> None:
        """Start it, and wait until it has made an empty bucket."""
        nothing = subprocess.DEVNULL
        command = [sys.executable, "-c", _START, str(self.port)]
        self._process = subprocess.Popen(command, stdout=nothing, stderr=nothing)
        give_up = time.monotonic() + 90
        while True:
            try:
                self.client().create_bucket(Bucket=bucket)
            except BotoCoreError:
                assert time.monotonic() < give_up, "no S3 server came up"
                assert self._process.poll() is None, "the S3 server ended"
                time.sleep(0.1)
            else:
                return

    def client(self) -> Any:
        """A client of boto3 with the keys that it takes."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2),
        )

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def environment(self, buckets: str) -> dict[str, str]:
        """The settings of a worker that may read these buckets."""
        return {
            "LINEWATCH_S3_BUCKETS": buckets,
            "LINEWATCH_S3_ENDPOINT_URL": self.url,
            "LINEWATCH_S3_REGION": REGION,
            "LINEWATCH_S3_ACCESS_KEY": KEY,
            "LINEWATCH_S3_SECRET_KEY": SECRET,
        }


@contextmanager
def s3_server(bucket: str) -> Iterator[S3Server]:
    """A running server with an empty bucket, killed at the end."""
    server = S3Server()
    try:
        server.start(bucket)
        yield server
    finally:
        server.kill()
