"""The programs of `examples/` that hand pictures over, as they stand there."""

from __future__ import annotations

import ftplib
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from linewatch.settings import Settings
from tests.integration.producer.test_cli import AWAY, STATION
from tests.support.judge import Judge
from tests.support.uploads import encoded
from tests.support.waiting import until

EXAMPLES = Path(__file__).parents[3] / "examples"
PICTURE = encoded("a.png", 20)
MakeSettings = Callable[..., Settings]


@contextmanager
def running(name: str, out: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """An example from start to a clean end by SIGTERM, if it has not ended by itself."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES.parent), *_PATH])}
    with out.open("w") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, env={**environment, **more}, text=True
        )
        try:
            yield process
            assert process.stdin is not None
            process.stdin.close()
            if process.poll() is None and name != "basler_trigger.py":
                process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait(10)


_PATH = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def put(folder: Path, name: str) -> None:
    (folder / ".x").write_bytes(PICTURE)
    (folder / ".x").rename(folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def test_a_folder_with_a_judge_opens_the_gate(
    folder: Path, tmp_path: Path, redis_url: str, make_settings: MakeSettings
) -> None:
    make_settings(redis_url=redis_url)
    out = tmp_path / "out"
    options = (str(folder), *STATION, "--deadline", "20")
    with Judge(redis_url), running("folder_camera.py", out, *options):
        put(folder, "SN7.png")
        until(lambda: "gate opens for SN7" in out.read_text(), 30)


def test_a_folder_without_redis_keeps_the_gate_shut(
    folder: Path, tmp_path: Path, make_settings: MakeSettings
) -> None:
    make_settings(redis_url=AWAY)
    out, begun = tmp_path / "out", tmp_path / "spool"
    make_settings(redis_url=AWAY, spool_dir=begun)
    with running("folder_camera.py", out, str(folder), *STATION):
        until(lambda: begun.exists() and any(begun.iterdir()), 30)
        put(folder, "SN8.png")
        until(lambda: "gate stays shut for SN8 (no verdict in time)" in out.read_text(), 30)


def test_an_ftp_camera(
    folder: Path, tmp_path: Path, redis_url: str, make_settings: MakeSettings
) -> None:
    make_settings(redis_url=redis_url)
    (folder / ".incoming").mkdir()
    (folder / ".incoming" / "left.png").write_bytes(PICTURE)  # by a run that was killed
    out = tmp_path / "out"
    arguments = (str(folder), "--port", "0", *STATION)
    with Judge(redis_url) as judge, running("ftp_camera.py", out, *arguments, FTP_PASSWORD="pw"):
        until(lambda: "listening on port" in out.read_text(), 30)
        port = int(out.read_text().splitlines()[0].rsplit(" ", 1)[1])
        _upload_half(port, folder)
        with ftplib.FTP() as client:
            client.connect("127.0.0.1", port, timeout=10)
            client.login("camera", "pw")
            for _ in range(2):  # to one name, as many cameras do
                client.storbinary("STOR part.png", io.BytesIO(PICTURE))
            with pytest.raises(ftplib.error_perm):
                client.retrbinary("RETR part.png", print)
        until(lambda: len(judge.pictures) == 3, 30)
    names = sorted(Path(i.uri).name.partition("-")[2] for m in judge.messages for i in m.images)
    assert names == ["left.png", "part.png", "part.png"]
    assert list((folder / ".incoming").iterdir()) == []


def _upload_half(port: int, folder: Path) -> None:
    """A camera that is switched off while it uploads."""
    with ftplib.FTP() as client:
        client.connect("127.0.0.1", port, timeout=10)
        client.login("camera", "pw")
        data = client.transfercmd("STOR cut.png")
        data.sendall(PICTURE[: len(PICTURE) // 2])
        until((folder / ".incoming" / "cut.png").exists)
        assert client.sock is not None
        client.sock.shutdown(socket.SHUT_RDWR)
        until(lambda: not (folder / ".incoming" / "cut.png").exists())
        data.close()


@pytest.mark.skipif(find_spec("pypylon") is None, reason="pypylon is not installed")
def test_a_basler_camera_that_is_triggered(
    folder: Path, tmp_path: Path, redis_url: str, make_settings: MakeSettings
) -> None:
    make_settings(redis_url=redis_url)
    out = tmp_path / "out"
    arguments = (str(folder), *STATION, "--trigger", "Software", "--deadline", "20")
    more = {"PYLON_CAMEMU": "1"}
    with Judge(redis_url) as judge, running("basler_trigger.py", out, *arguments, **more) as run:
        assert run.stdin is not None
        for serial in ("SN-1", "SN-2"):
            run.stdin.write(f"{serial}\n")
            run.stdin.flush()
        until(lambda: out.read_text().count("verdict SN-") == 2, 40)
    images = [image for message in judge.messages for image in message.images]
    assert [image.part for image in images] == ["SN-1", "SN-2"]
    assert all(Path(image.uri).read_bytes().startswith(b"\x89PNG") for image in images)
    assert len({image.uri for image in images}) == 2


@pytest.mark.skipif(find_spec("pypylon") is None, reason="pypylon is not installed")
def test_a_trigger_that_does_not_come_is_a_part_without_a_picture(
    folder: Path, tmp_path: Path, make_settings: MakeSettings
) -> None:
    make_settings(redis_url=AWAY)
    out = tmp_path / "out"
    arguments = (str(folder), *STATION, "--trigger", "Line1", "--frame-timeout", "200")
    with running("basler_trigger.py", out, *arguments, PYLON_CAMEMU="1") as run:
        assert run.stdin is not None
        run.stdin.write("SN-1\n")
    assert out.read_text() == "no picture SN-1\n"
    assert list(folder.iterdir()) == []
