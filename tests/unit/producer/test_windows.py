"""The camera side without what only POSIX has. `make lint` checks its types for Windows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_WITHOUT = f"import sys; sys.path.insert(0, {str(HERE)!r}); import like_windows as w; w.become()\n"
_HOLD = """
import sys
from pathlib import Path
from producer.drain_lock import DrainLock
lock = DrainLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""
_SUBMIT = """
import pkgutil, sys
import linewatch.commands.spool, linewatch.commands.submit, linewatch.commands.watch
import producer
for module in pkgutil.walk_packages(producer.__path__, "producer."):
    if not module.name.startswith("producer.simulator"):
        __import__(module.name)
from linewatch import Camera
from linewatch.settings import Settings
from producer.folder.wholeness.writers import Writer, writer_of
settings = Settings(redis_url="redis://127.0.0.1:1", spool_copy=True)
with Camera("line-1", "cam-2", "cable", sys.argv[1], settings) as camera:
    camera.submit(sys.argv[2], part="SN-1")
    print(camera.status().spool.queued)
"""


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", code, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("before", ["", _WITHOUT], ids=["flock", "no flock"])
def test_one_process_drains_and_the_next_one_may_when_it_was_killed(
    tmp_path: Path, before: str
) -> None:
    spool = str(tmp_path / "spool.db")
    with running(before + _HOLD, spool) as first:
        assert said(first) == "True"
        with running(before + _HOLD, spool) as second:
            assert said(second) == "False"
        first.kill()
        first.wait(10)
        with running(before + _HOLD, spool) as third:
            assert said(third) == "True"


def test_a_camera_works_with_what_windows_has(tmp_path: Path) -> None:
    picture = tmp_path / "part.png"
    picture.write_bytes(b"a picture\r\n with line ends\n")
    spool = tmp_path / "spool.db"
    with running(_WITHOUT + _SUBMIT, str(spool), str(picture)) as process:
        assert said(process) == "1"
    (copy,) = (tmp_path / "spool.pictures").iterdir()
    assert copy.read_bytes() == picture.read_bytes()
