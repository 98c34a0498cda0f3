"""What a benchmark works with: a private Redis, databases of its own, pictures, weights."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

import click

from benchmarks.bare import Bare
from benchmarks.contender import Contender
from benchmarks.jpegs import LabelledPicture, line_jpegs
from benchmarks.scale import DATABASES, ENCODERS, scaled
from linewatch.plant import environment
from linewatch.services import python_command
from linewatch.settings import Settings, get_settings
from tests.support.postgresql import Databases, NoPostgreSQLError, server
from tests.support.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[1]
PER_CLASS = 6  # pictures
GOOD = 24  # good ones, whatever the scale: models remember places from 20 on


class Workplace:
    """Everything is started when first used, and gone after the block; only the cache stays."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._redis_databases = iter(range(16))
        self.cache = get_settings().data_dir / "bench"
        self.no_postgresql: str | None = None

    def __enter__(self) -> Workplace:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def redis(self) -> RedisServer:
        """A Redis on a free port, append-only file on and synced every second, as in production."""
        folder = self.folder / "redis"
        folder.mkdir()
        started = RedisServer(folder)
        started.start()
        self._stack.callback(started.stop)
        return started

    def redis_url(self) -> str:
        """A Redis database that nobody else in this run uses."""
        return f"{self.redis.url.rsplit('/', 1)[0]}/{next(self._redis_databases)}"

    @cached_property
    def pictures(self) -> list[LabelledPicture]:
        """1024² JPEG files, drawn by the simulator the first time."""
        say(f"pictures in {self.cache / 'pictures'}")
        return line_jpegs(self.cache / "pictures", scaled(PER_CLASS, least=3), good=GOOD)

    @cached_property
    def weights_dir(self) -> Path:
        """Full-size encoders with seeded weights, written the first time."""
        from benchmarks.full_weights import seeded_full_weights

        say(f"weights in {self.cache / 'weights'}")
        return seeded_full_weights(self.cache / "weights")

    @cached_property
    def _postgresql(self) -> Databases | None:
        folder = self.folder / "postgresql"
        folder.mkdir()
        try:
            url = self._stack.enter_context(server(folder))
        except NoPostgreSQLError as error:
            self.no_postgresql = str(error)
            return None
        return Databases(url)

    @property
    def databases(self) -> list[str]:
        """The kinds of database there are here."""
        there = [kind for kind in DATABASES if kind != "postgresql" or self._postgresql is not None]
        return there or ["sqlite"]

    @property
    def main_database(self) -> str:
        """PostgreSQL where there is one."""
        return self.databases[0]

    def database_url(self, kind: str) -> str:
        """An empty, migrated database of this run's own."""
        from db import migrate

        url = self.bare_database_url(kind)
        migrate.upgrade(url)
        return url

    def bare_database_url(self, kind: str) -> str:
        """One without tables."""
        from db import session

        if kind == "postgresql":
            assert self._postgresql is not None
            url = self._postgresql.create()
            self._stack.callback(self._postgresql.drop, url)
        else:
            file = Path(tempfile.mkdtemp(prefix="sqlite-", dir=self.folder)) / "linewatch.db"
            url = f"sqlite:///{file}"
        self._stack.callback(session.dispose)
        return url

    def settings(self, name: str, database_url: str, *, encoders: str = ENCODERS) -> Settings:
        """Settings of a plant called `name`, whose files lie in this run's folder."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return get_settings().model_copy(
            update={
                "data_dir": folder,
                "database_url": database_url,
                "redis_url": self.redis_url(),
                "weights_dir": self.weights_dir if encoders == "full" else self.cache / "weights",
                "model_store_url": str(self.folder / "models"),
                "image_roots": (self.cache / "pictures",),
                "encoders": encoders,
                "max_queue_depth": 1_000_000,
                "spool_max_pictures": 1_000_000,
            }
        )

    def make_ready(self, contender: Contender) -> None:
        """Convert and quantise the encoders, as a site does once with its own pictures."""
        done = self.weights_dir / "optimized" / ENCODERS / "int8" / "about.json"
        if contender.backend != "openvino" or done.exists():
            return
        say("linewatch optimize, once; it takes a minute or two")
        command = python_command("linewatch", "optimize", str(self.pictures[0].path.parent))
        environment = child_environment(self.settings("optimize", ""))
        subprocess.run(command, env=environment, check=True, stdout=sys.stderr.fileno())

    @contextmanager
    def bare(self, contender: Contender, settings: Settings) -> Iterator[Bare]:
        """The encoders of `settings` on this backend, alone in a process."""
        self.make_ready(contender)
        log = self.folder / "logs" / f"bare-{contender.key}.log"
        with Bare({**child_environment(settings), **contender.environment}, log) as bare:
            yield bare


def child_environment(settings: Settings) -> dict[str, str]:
    """A child process's whole environment: the settings, and this checkout first on its path."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ours = {
        "LINEWATCH_DEVICE": settings.device,
        "LINEWATCH_MAX_BATCH": str(settings.max_batch),
        "PYTHONPATH": path,
    }
    return {**os.environ, **environment(settings), **ours}


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    click.echo(f"  {text}", err=True)
