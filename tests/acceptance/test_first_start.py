"""What `linewatch init` makes works: its units' commands run, and a camera hands a part over."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from PIL import Image
from sqlalchemy import make_url, text

from db.session import engine_for, transaction
from linewatch.services import ServiceGroup, free_port
from tests.support.pictures import texture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
LINEWATCH = str(Path(sys.executable).parent / "linewatch")


@pytest.fixture
def database(empty_postgresql_url: str) -> Iterator[str]:
    yield empty_postgresql_url
    name = make_url(empty_postgresql_url).database
    with transaction(engine_for(empty_postgresql_url)) as connection:
        for role in ("worker", "maintenance", "console", "reports"):
            connection.execute(text(f"DROP OWNED BY linewatch_{role}"))
            connection.execute(text(f"DROP ROLE {name}_{role}_user"))


@pytest.fixture
def plant(tmp_path: Path, database: str) -> Path:
    """A plant made by the documented command; where Redis may run beside this machine's own."""
    (tmp_path / "pictures").mkdir()
    arguments = ["--product", str(ROOT / "products/cable.yaml"), "--database", database]
    arguments += ["--pictures", str(tmp_path / "pictures"), "--data-dir", str(tmp_path / "data")]
    arguments += ["--redis-port", str(free_port())]
    said = command([LINEWATCH, "init", str(tmp_path / "plant"), "--systemd", *arguments])
    assert "product: cable" in said
    again = command([LINEWATCH, "init", str(tmp_path / "plant"), "--systemd"])
    assert again == "nothing to do\n"
    (tmp_path / "data").mkdir(mode=0o700)
    return tmp_path / "plant"


def command(words: list[str], **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=ROOT,
        env={**clean, "COLUMNS": "200", **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Units:
    """Runs what the units say, as systemd would."""

    def __init__(self, plant: Path, folder: Path, group: ServiceGroup) -> None:
        self._plant, self._folder, self.group = plant, folder, group

    def run(self, name: str, instance: str = "") -> tuple[list[str], dict[str, str]]:
        """Its command and environment, with its credentials in a folder."""
        unit = (self._plant / "systemd" / f"linewatch-{name}.service").read_text()
        unit = unit.replace("%i", instance)
        credentials = self._folder / f"credentials-{name}"
        credentials.mkdir(mode=0o700)
        for target, source in re.findall(r"LoadCredential=([^:\n]+):(.*)", unit):
            shutil.copy(source, credentials / target)
        environment = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE))
        for file in re.findall(r"EnvironmentFile=(.*)", unit):
            environment |= {k: v or "" for k, v in dotenv_values(file).items()}
        for line in re.findall(r"ExecStartPre=(.*)", unit):
            subprocess.run(shlex.split(line), check=True)
        (line,) = re.findall(r"ExecStart=(.*)", unit)
        line = line.replace("${CREDENTIALS_DIRECTORY}", str(credentials))
        return shlex.split(line), environment

    def start(self, name: str, instance: str = "") -> Path:
        words, environment = self.run(name, instance)
        return self.group.start(name.strip("@"), words, environment).log


@pytest.fixture
def units(plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Units]:
    for name in [n for n in os.environ if n.startswith("LINEWATCH_")]:
        monkeypatch.delenv(name)
    with ServiceGroup(tmp_path / "logs", {"OMP_NUM_THREADS": "1"}) as group:
        yield Units(plant, tmp_path, group)


def said(log: Path, words: str) -> Callable[[], bool]:
    return lambda: words in log.read_text()


def test_a_plant_made_by_init_judges_a_part(units: Units, plant: Path, tmp_path: Path) -> None:
    redis = units.start("redis")
    units.group.wait_until("redis", said(redis, "Ready to accept connections"), 20)
    words, environment = units.run("prepare")
    assert command(words, **environment) == "nothing to do\n"  # init found the database
    beat, worker = units.start("beat"), units.start("worker@", "cpu")
    units.group.wait_until("beat", said(beat, "Acquired lock"), 60)
    units.group.wait_until("worker", said(worker, " ready."), 200)
    picture = tmp_path / "pictures" / "part.png"
    Image.fromarray(texture(1024, 1024)).save(picture)
    (camera,) = (plant / "cameras").glob("*.env")
    station = ("--line", "line-1", "--camera", "cam-1")
    outcome = command(
        [LINEWATCH, "submit", str(picture), *station, "--product", "cable", "--timeout", "60"],
        LINEWATCH_ENV_FILE=str(camera),
        LINEWATCH_DATA_DIR=str(tmp_path / "camera"),
    )
    assert outcome.splitlines()[-1] == "1 accepted, 1 review"  # there is no model yet
    person = [str(plant / "linewatch")]
    assert "healthy" in command([*person, "doctor", "--beat"])
    assert "line-1" in command([*person, "report", "defect-rate"])
    found = command([*person, "doctor"])
    assert "fail" not in found.split()
    assert re.search(r"ok +redis maxmemory +1024 MB", found)
    assert re.search(r"ok +products +cable", found)
