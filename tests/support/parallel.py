"""Where tests run in several processes at once (pytest-xdist): what each of them may take."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

_LAST_DATABASE = 15  # of a Redis as it ships


def own_redis_database(url: str) -> str:
    """This process's database of the Redis at `url`: the one named there, or one that follows it.

    Raises:
        RuntimeError: there are more processes than databases.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    named = urlsplit(url)
    number = int(named.path.strip("/") or 0) + process
    if number > _LAST_DATABASE:
        raise RuntimeError(f"{url} has no database {number}; run fewer processes (pytest -n)")
    return named._replace(path=f"/{number}").geturl()


def share_the_cores() -> None:
    """Each process computes on its share of the cores: threads that wait for each other spin."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        threads = max(1, (os.cpu_count() or 1) // processes)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
