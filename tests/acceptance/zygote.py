"""Starts workers quickly: a process that has imported all a worker does, and forks one on demand.

A worker spends seconds of CPU on imports before it does anything. Tests that kill hundreds of them
would wait for little else. What runs after the fork is `python -m celery` with its own arguments,
environment, log and session. Importing Linewatch reads no settings and makes no application: both
are the worker's own, and it imports the modules of tasks itself.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEAVY = (
    "torch",
    "torchvision",
    "open_clip",
    "transformers.models.dinov2.modeling_dinov2",
    "sklearn.linear_model",
    "celery.bin.celery",
    "celery.apps.worker",
    "kombu.transport.redis",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "alembic.command",
    "fsspec.core",
    "pydantic_settings",
    "prometheus_client.core",
    "psycopg",
    "safetensors.numpy",
    "simplejpeg",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.TiffImagePlugin",
    "PIL.WebPImagePlugin",
    "training.retraining",
    "vision.extractor",
    "workers.runtime",
    "workers.wiring",
)


class ForkedProcess:
    """A worker that the zygote forked, with what is used of `subprocess.Popen`."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self._zygote = zygote
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._zygote.ask({"poll": self.pid})["returncode"]
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)


class Zygote:
    """The parent's end. One request at a time, one JSON line each way."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.acceptance.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket = ours
        self._lines = ours.makefile("rw")

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> ForkedProcess:
        """Run `python -m celery` with these arguments, in an environment of its own."""
        reply = self.ask(
            {"start": list(arguments), "environment": dict(environment), "log": str(log)}
        )
        return ForkedProcess(self, reply["pid"])

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its reply."""
        self._lines.write(json.dumps(request) + "\n")
        self._lines.flush()
        reply: dict[str, Any] = json.loads(self._lines.readline())
        return reply

    def close(self) -> None:
        """End it."""
        self._lines.close()
        self._socket.close()
        self._process.wait(timeout=10)


def serve(connection: socket.socket) -> None:
    """The zygote's end: import, then fork and reap until the parent goes."""
    import importlib

    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a worker collects all once when it has started: these million objects not again
    lines = connection.makefile("rw")
    for line in lines:
        request = json.loads(line)
        if "start" in request:
            pid = os.fork()
            if pid == 0:
                _become_worker(request, connection)
            reply: dict[str, Any] = {"pid": pid}
        else:
            done, status = os.waitpid(request["poll"], os.WNOHANG)
            reply = {"returncode": os.waitstatus_to_exitcode(status) if done else None}
        lines.write(json.dumps(reply) + "\n")
        lines.flush()


def _become_worker(request: dict[str, Any], connection: socket.socket) -> None:
    code = 1
    try:
        from linewatch.child_process import die_with_parent

        connection.close()
        os.setsid()
        die_with_parent()
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = ["celery", *request["start"]]
        runpy.run_module("celery", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
