"""A PgBouncer of the tests' own, which lends a session for a transaction only."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

_INI = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = transaction
default_pool_size = 2
unix_socket_dir =
"""


@contextmanager
def pgbouncer(database_url: str) -> Iterator[str]:
    """The URL of this database through PgBouncer; skips the test where it is not installed."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer on this machine")
    url = make_url(database_url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="linewatch-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        ini = folder / "pgbouncer.ini"
        ini.write_text(_INI.format(host=url.host, port=url.port, user=url.username, listen=port))
        user = {}
        if os.geteuid() == 0:  # it does not run as root
            with contextlib.suppress(KeyError):
                user = {"user": pwd.getpwnam("nobody").pw_name}
        process = subprocess.Popen([program, str(ini)], stderr=subprocess.DEVNULL, **user)  # type: ignore[call-overload]
        try:
            through = url.set(host="127.0.0.1", port=port)
            _wait(through.set(drivername="postgresql").render_as_string(hide_password=False))
            yield through.render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PgBouncer let nobody in"
            time.sleep(0.05)
        else:
            return
