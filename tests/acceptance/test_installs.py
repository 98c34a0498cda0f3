"""The wheel alone in a fresh environment: pictures are handed over, and what is missing is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import tomllib
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
import redis
from PIL import Image

from producer.contract import QUEUE, Receipt
from tests.support.pictures import encoded, texture
from workers.pipeline.receipts import ReceiptWriter

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)

# Runs every command, in one process because starting a hundred takes a minute.
EVERY_COMMAND = """
import contextlib, io, json, sys, traceback
from linewatch.cli import COMMANDS, main
said = {}
for name in sorted(COMMANDS):
    for words in ([name, "--help"], [name]):
        sys.argv, out, code = ["linewatch", *words], io.StringIO(), "none"
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                main()
        except SystemExit as end:
            code = end.code
        except BaseException:
            out.write(traceback.format_exc())
        said[" ".join(words)] = [code, out.getvalue()]
print(json.dumps(said))
"""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LINEWATCH_", "PYTHON"))}
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**kept, **environment},
        cwd="/",
    )


def done(*command: str | Path, **environment: str) -> str:
    finished = run(*command, **environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with nothing but pip."""
    folder = tmp_path_factory.mktemp("base") / "env"
    done(sys.executable, "-m", "venv", folder)
    return folder


@pytest.fixture(scope="module")
def wheel(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done(environment / "bin/pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


def install(folder: Path, python: str | Path, wheel: Path, extras: str = "") -> Path:
    """A fresh environment with the wheel in it; its `bin`."""
    if not folder.exists():
        done(python, "-m", "venv", folder)
    what = f"{wheel}{extras}"
    done(folder / "bin/pip", "install", "-q", "-c", ROOT / "constraints.txt", what)
    return folder / "bin"


@pytest.fixture(scope="module")
def base(environment: Path, wheel: Path) -> Path:
    return install(environment, sys.executable, wheel)


@pytest.fixture
def answering(redis_url: str) -> Iterator[list[str]]:
    """Answers each message with receipts, as a worker would; the uris it was sent."""
    seen: list[str] = []
    stop = threading.Event()

    def answer() -> None:
        with redis.Redis.from_url(redis_url) as client:
            writer = ReceiptWriter(client)
            while not stop.is_set():
                popped = client.brpop([QUEUE], timeout=1)
                if popped is None:
                    continue
                message = json.loads(b64decode(json.loads(popped[1])["body"]))[0][0]
                seen.extend(image["uri"] for image in message["images"])
                writer.send(
                    (
                        message["producer"],
                        Receipt(id=image["id"], verdict="pass", decided_at=datetime.now(UTC)),
                    )
                    for image in message["images"]
                )

    thread = threading.Thread(target=answer)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def picture(path: Path) -> Path:
    path.write_bytes(encoded(Image.fromarray(texture(32, 32)), "PNG"))
    return path


def hand_over(bin_: Path, folder: Path, redis_url: str, answering: list[str]) -> None:
    file = picture(folder / "part.png")
    command = (bin_ / "linewatch", "submit", file, "--line", "l", "--camera", "c")
    said = done(
        *(*command, "--product", "p", "--wait", "--timeout", "30"),
        LINEWATCH_DATA_DIR=str(folder / "data"),
        LINEWATCH_REDIS_URL=redis_url,
    )
    assert said.splitlines()[-1] == "1 accepted, 1 pass"
    assert answering == [str(file)]


def test_the_base_install_hands_a_picture_over(
    base: Path, tmp_path: Path, redis_url: str, answering: list[str]
) -> None:
    hand_over(base, tmp_path, redis_url, answering)


def test_the_base_install_has_no_celery(base: Path) -> None:
    code = "from importlib.util import find_spec; print(find_spec('celery'), find_spec('kombu'))"
    assert done(base / "python", "-c", code).startswith("None ModuleSpec")


# Its last line is wrong: what has no types could be called with anything.
TYPED = """\
from uuid import UUID
from linewatch import Camera

with Camera(line="line-1", camera="cam-2", product="cable") as camera:
    picture: UUID = camera.submit("/data/pictures/000017.png", part="SN-000017")
    camera.submit(17)
"""


def test_a_users_program_is_checked_against_the_wheel(base: Path, tmp_path: Path) -> None:
    program = tmp_path / "user.py"
    program.write_text(TYPED)
    words = ("-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", program)
    checked = run(sys.executable, *words, "--python-executable", base / "python")
    error, _, summary = checked.stdout.partition("\n")
    assert "user.py:6: error: Argument 1 to " in error, checked.stdout + checked.stderr
    assert summary.startswith("Found 1 error")


def test_every_package_of_the_wheel_is_typed(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        names = opened.namelist()
    packages = {name.partition("/")[0] for name in names if name.endswith("/__init__.py")}
    assert {"linewatch", "producer", "workers", "db"} <= packages
    assert {p for p in packages if f"{p}/py.typed" not in names} == set()


def test_every_command_of_the_base_install_says_what_it_lacks(base: Path, tmp_path: Path) -> None:
    data = {"LINEWATCH_DATA_DIR": str(tmp_path), "LINEWATCH_REDIS_URL": "redis://127.0.0.1:1/0"}
    said = json.loads(done(base / "python", "-c", EVERY_COMMAND, **data))
    assert not {what: text for what, (_, text) in said.items() if "Traceback" in text}
    assert all(code == 0 for what, (code, _) in said.items() if what.endswith("--help"))
    lacking = {what for what, (_, text) in said.items() if "pip install 'linewatch[" in text}
    assert {"beat", "demo", "doctor", "flower", "optimize", "purge", "up", "worker"} <= lacking
    for what in lacking - {"doctor"}:  # that one looks at what there is
        code, text = said[what]
        assert code == 2, text
        assert text.count("\n") == 1, text


def test_the_base_install_makes_a_plant(base: Path, tmp_path: Path) -> None:
    words = (base / "linewatch", "init", tmp_path / "plant", "--compose", "--systemd")
    done(*words, "--product", ROOT / "products" / "cable.yaml")
    assert done(*words) == "nothing to do\n"
    written = (tmp_path / "plant" / "compose" / "docker-compose.yml").read_text()
    assert written == (ROOT / "docker-compose.yml").read_text()


def test_a_package_that_is_missing_ends_the_program(
    base: Path, tmp_path: Path, redis_url: str
) -> None:
    """As when kombu's transport needs what nobody told pip of: no waiting helps."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "packaging.py").write_text("raise ModuleNotFoundError('gone', name='packaging')")
    finished = run(
        *(base / "linewatch", "submit", picture(tmp_path / "part.png")),
        *("--line", "l", "--camera", "c", "--product", "p"),
        LINEWATCH_DATA_DIR=str(tmp_path / "data"),
        LINEWATCH_REDIS_URL=redis_url,
        PYTHONPATH=str(hidden),
    )
    assert finished.returncode == 2
    assert "this installation is broken: gone" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_light_extras_do_what_they_are_for(base: Path, wheel: Path, tmp_path: Path) -> None:
    install(base.parent, sys.executable, wheel, "[sql,local]")
    data = {"LINEWATCH_DATA_DIR": str(tmp_path / "data"), "PATH": "/nowhere"}
    done(base / "linewatch", "db", "upgrade", **data)
    done(base / "linewatch", "report", "defect-rate", **data)
    server = "from linewatch.services import redis_command; from linewatch.settings import *"
    command = done(base / "python", "-c", f"{server}; print(redis_command(Settings())[0])", **data)
    assert "Valkey" in done(command.strip(), "--version") or "valkey" in command


CAMERA = ROOT / "deploy" / "camera"


def test_the_camera_wheel_needs_what_the_base_install_needs() -> None:
    base, camera = (
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for folder in (ROOT, CAMERA)
    )
    for key in ("dependencies", "scripts", "requires-python", "license"):
        assert camera[key] == base[key], key


@pytest.mark.slow
def test_the_camera_wheel_is_the_camera_side_alone(
    wheel: Path, environment: Path, tmp_path: Path, redis_url: str, answering: list[str]
) -> None:
    done(environment / "bin/pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "wheel", CAMERA)
    (camera,) = (tmp_path / "wheel").glob("linewatch_camera-*.whl")
    assert camera.name.split("-")[1] == wheel.name.split("-")[1]  # the version
    assert camera.stat().st_size < 1_000_000
    with ZipFile(camera) as opened:
        top = {name.partition("/")[0] for name in opened.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"linewatch", "producer"}
    bin_ = install(tmp_path / "env", sys.executable, camera)
    hand_over(bin_, tmp_path, redis_url, answering)
    data = {"LINEWATCH_DATA_DIR": str(tmp_path), "LINEWATCH_REDIS_URL": "redis://127.0.0.1:1/0"}
    said = json.loads(done(bin_ / "python", "-c", EVERY_COMMAND, **data))
    assert not {what: text for what, (_, text) in said.items() if "Traceback" in text}
    assert "is broken" not in str(said)
    found = run(bin_ / "linewatch", "train", "cable", **data)
    assert "`pip install 'linewatch[" in found.stderr


def other_pythons() -> list[Path]:
    """Interpreters of the other supported versions, where there are any."""
    found = []
    for version in ("3.11", "3.12", "3.13"):
        if sys.version_info[:2] == tuple(map(int, version.split("."))):
            continue
        on_path = shutil.which(f"python{version}")
        managed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        candidates = [*([Path(on_path)] if on_path else []), *managed]
        found += [c for c in candidates if run(c, "-c", "import venv").returncode == 0][:1]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("python", other_pythons() or [None], ids=str)
def test_other_pythons_hand_a_picture_over(
    python: Path | None, wheel: Path, tmp_path: Path, redis_url: str, answering: list[str]
) -> None:
    if python is None:
        pytest.skip("no other Python here")
    hand_over(install(tmp_path / "env", python, wheel), tmp_path, redis_url, answering)


@pytest.mark.slow
def test_the_simulator_extra_draws(base: Path, wheel: Path, tmp_path: Path) -> None:
    install(base.parent, sys.executable, wheel, "[simulator]")
    done(base / "python", "-c", "import producer.simulator")
