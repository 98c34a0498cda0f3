"""Starts one of the servers, and loads it as an async client does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx

from benchmarks.commits import await_commits
from benchmarks.contender import Contender
from benchmarks.peers.options import Option
from benchmarks.plant import register_cable
from benchmarks.workplace import Workplace, child_environment
from db.models import feature_spaces
from db.session import engine_for, transaction
from linewatch.errors import ServiceError
from linewatch.services import ServiceGroup, free_port, python_command

CONNECTIONS = 96  # requests in flight: three full batches
_READY_S = 300  # seconds; on a busy machine Ray alone takes more than its own default of 60
_numbers = count(1)
_HOPELESS = (httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.INTERNAL_SERVER_ERROR)


class ServerPlant:
    """A server process with a database of its own. Use as a context.

    Args:
        module: `benchmarks.peers.litserve_server` or its like.
        version: of the model that it judges with.
        option: how it is started.
    """

    def __init__(
        self,
        workplace: Workplace,
        kind: str,
        module: str,
        contender: Contender,
        version: str,
        option: Option,
    ) -> None:
        number = next(_numbers)
        name = f"{module.rsplit('.', 1)[-1]}-{contender.key}-{number}"
        self.settings = workplace.settings(name, workplace.database_url(kind))
        self.engine = engine_for(self.settings.sql_url)
        register_cable(self.engine, "cable")
        extra = {"SERVED_VERSION": version, "RAY_usage_stats_enabled": "0"}
        extra |= {"RAY_SERVE_LOG_TO_STDERR": "0", "RAY_raylet_start_wait_time_s": str(_READY_S)}
        everything = {**child_environment(self.settings), **contender.environment, **extra}
        everything |= option.environment
        self.group = ServiceGroup(self.settings.data_dir / "logs", everything)
        self._module = module
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}/predict"

    def __enter__(self) -> ServerPlant:
        self.group.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        leaders = [service.process.pid for service in self.group.services]
        self.group.stop()
        for leader in leaders:  # what a server leaves behind is in the group that it led
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)

    def start(self, fingerprint: str, about: str, dim: int, warm: Sequence[Path]) -> None:
        """Start it and wait until it answers; then warm it."""
        with transaction(self.engine) as connection:
            feature_spaces.register(connection, fingerprint, encoders=about, dim=dim)
        self.group.start("server", python_command(self._module, str(self._port)))
        self.group.wait_until("the server", lambda: self._answers(warm[0]), _READY_S)
        self.images_per_s(warm)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """It stands still (SIGSTOP), or a server that waits would take from whoever is measured.

        Not Ray: its daemons would take each other for dead.
        """
        leaders = [service.process.pid for service in self.group.services]
        stopped = [] if "rayserve" in self._module else leaders
        for leader in stopped:
            os.killpg(leader, signal.SIGSTOP)
        try:
            yield
        finally:
            for leader in stopped:
                os.killpg(leader, signal.SIGCONT)

    def images_per_s(self, paths: Sequence[Path]) -> float:
        """From the first request to the last answer; the rows are committed by then."""
        since, began = datetime.now(UTC), time.perf_counter()
        asyncio.run(self._ask([str(path) for path in paths]))
        seconds = time.perf_counter() - began
        await_commits(self.engine, len(paths), since=since, check=self.group.check, timeout_s=5)
        return len(paths) / seconds

    async def _ask(self, paths: list[str]) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with httpx.AsyncClient(limits=limits, timeout=600) as client:
            answers = await asyncio.gather(
                *(client.post(self._url, json={"path": path}) for path in paths)
            )
        bad = [answer for answer in answers if answer.status_code != httpx.codes.OK]
        if bad:
            raise ServiceError(f"{len(bad)} of {len(paths)} requests failed: {bad[0].text:.200}")

    def _answers(self, path: Path) -> bool:
        """Whether it judged a picture; an answer that no waiting mends is an error."""
        try:
            answer = httpx.post(self._url, json={"path": str(path)}, timeout=120)
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code in _HOPELESS:
            raise ServiceError(f"{self._module} answers {answer.status_code}: {answer.text:.300}")
        if answer is None or not answer.is_success:
            time.sleep(0.5)
            return False
        return True
