"""A plant for systemd: its units are taken, confined, and find what they name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from dotenv import dotenv_values

from linewatch.cli import cli
from linewatch.first_start import plant, programs
from linewatch.first_start.samples import samples
from linewatch.settings import get_settings
from tests.support.first_start import ROOT, init


@pytest.mark.parametrize("name", ["my plant", "100%", "a'b", 'a"b', "a$b"])
def test_a_folder_that_units_cannot_name_is_refused(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(cli, ["init", str(tmp_path / name), "--systemd"])
    assert done.exit_code != 0
    assert "choose a folder" in str(done.exception)
    assert not (tmp_path / name).exists()


def test_a_program_that_services_cannot_reach_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "venv" / "bin" / "linewatch"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    monkeypatch.setattr(plant, "own_command", lambda: command)
    (tmp_path / "venv").chmod(0o750)
    said = init(tmp_path / "p", "--systemd")
    assert f"{plant.closed_to_services(command)} to {command}: install Linewatch" in said
    assert plant.closed_to_services(Path("/usr/bin/env")) is None


def units(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in (folder / "systemd").glob("*.service")}


def test_units_may_write_to_the_data_folder_and_read_what_they_name(systemd: Path) -> None:
    data = dotenv_values(systemd / "environment")["LINEWATCH_DATA_DIR"]
    assert units(systemd)
    for name, unit in units(systemd).items():
        assert "ProtectSystem=strict" in unit
        assert "StateDirectory=linewatch\nStateDirectoryMode=0700\n" in unit, name
        assert data == "/var/lib/linewatch"
        assert f"WorkingDirectory={data}\n" in unit, name
        assert "MemoryMax=" in unit
        for _, path in re.findall(r"LoadCredential=([^:]+):(.*)", unit):
            assert Path(path).is_file(), path
        for path in re.findall(r"EnvironmentFile=(.*)", unit):
            assert Path(path).is_file(), path


def test_a_data_folder_elsewhere_is_opened_to_the_units(tmp_path: Path) -> None:
    init(tmp_path / "p", "--systemd", "--data-dir", "/srv/linewatch")
    for unit in units(tmp_path / "p").values():
        assert "ReadWritePaths=/srv/linewatch\n" in unit
        assert "StateDirectory" not in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(systemd: Path, tmp_path: Path) -> None:
    for path in (systemd / "systemd").glob("linewatch*"):
        shutil.copy(path, tmp_path)
    shutil.copy(tmp_path / "linewatch-worker@.service", tmp_path / "linewatch-worker@auto.service")
    names = [str(p) for p in tmp_path.glob("linewatch*") if "@." not in p.name]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "linewatch" in line]
    assert not ours, ours


def test_a_person_s_commands_know_the_file_of_outputs(tmp_path: Path) -> None:
    """The dispatcher does: what `outputs test` asks about would else be another plant's."""
    init(tmp_path / "p", "--systemd")
    script = (tmp_path / "p/linewatch").read_text()
    shown = re.sub(r"^ *exec .*$", 'echo "file=$LINEWATCH_OUTPUTS_FILE"; exit', script, flags=re.M)
    for text, wanted in ((None, ""), ("version: 1\n", f"{tmp_path}/p/outputs/outputs.yaml")):
        if text:
            (tmp_path / "p/outputs/outputs.yaml").write_text(text)
        done = subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=True)
        assert done.stdout == f"file={wanted}\n"


def test_a_person_s_commands_have_each_secret_as_it_is_now(tmp_path: Path) -> None:
    """Who rotates a key, or adds an address for alerts, edits one file."""
    init(tmp_path / "p", "--systemd")
    (tmp_path / "p/secrets/alert_urls").write_text("a=json://x\nb=json://y\n")
    (tmp_path / "p/secrets/signing_keys").write_text("new:1,old:2\n")
    script = (tmp_path / "p/linewatch").read_text()
    shown = 'echo "$LINEWATCH_ALERT_URLS|$LINEWATCH_SIGNING_KEYS|$LINEWATCH_REDIS_URL"; exit'
    shown = re.sub(r"^ *exec .*$", lambda _: shown, script, flags=re.M)
    done = subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=True)
    url = (tmp_path / "p/secrets/redis/ops.url").read_text().strip()
    assert done.stdout == f"a=json://x\nb=json://y|new:1,old:2|{url}\n"


def test_the_script_is_one_that_the_shell_takes(systemd: Path) -> None:
    for script in ("systemd/install.sh", "linewatch"):
        subprocess.run(["sh", "-n", systemd / script], check=True)


def test_units_are_started_again_however_often_they_end(systemd: Path) -> None:
    """By itself systemd gives up after five starts in ten seconds."""
    for name, unit in units(systemd).items():
        assert "StartLimitIntervalSec=0\n" in unit.partition("[Service]")[0], name
        assert "Restart=" in unit, name


# Notes what it is told; of units it knows those that were enabled.
SYSTEMCTL = """#!/bin/sh
echo "$@" >> $DONE
case $1 in
  enable) echo $2 >> $DONE.enabled ;;
  is-enabled) grep -qx "$3" $DONE.enabled ;;
esac
"""


def installed(folder: Path, tmp_path: Path) -> list[str]:
    """What `install.sh` tells systemctl, on a machine whose units lie in `tmp_path/units`."""
    for name in ("systemctl", "systemd-sysusers", "chgrp"):
        (tmp_path / name).write_text(SYSTEMCTL if name == "systemctl" else "#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "units").mkdir(exist_ok=True)
    (tmp_path / "done.enabled").touch()
    (tmp_path / "done").write_text("")
    script = (folder / "systemd" / "install.sh").read_text()
    script = script.replace("/etc/systemd/system", str(tmp_path / "units"))
    path = f"{tmp_path}:{os.environ['PATH']}"
    env = {"PATH": path, "DONE": str(tmp_path / "done")}
    subprocess.run(["sh", "-c", script], check=True, env=env)
    return (tmp_path / "done").read_text().splitlines()


def test_a_second_installation_enables_only_what_is_new(systemd: Path, tmp_path: Path) -> None:
    """Else each upgrade would start a worker again that a plant exchanged for another device's."""
    first = installed(systemd, tmp_path)
    enabled = [line.removeprefix("enable ") for line in first if line.startswith("enable ")]
    there = {path.name for path in (tmp_path / "units").iterdir()}
    assert {name.replace("@auto.", "@.") for name in enabled} == there
    assert "linewatch-worker@auto.service" in enabled
    assert first[-2:] == ["enable linewatch.target", "start linewatch.target"]
    (tmp_path / "units" / "linewatch-alerts.service").unlink()  # as if it came with this version
    _, *again = installed(systemd, tmp_path)
    assert again == ["daemon-reload", "enable linewatch-alerts.service", "start linewatch.target"]
    assert {path.name for path in (tmp_path / "units").iterdir()} == there


def test_the_samples_are_what_init_writes() -> None:
    folder = ROOT / "deploy" / "systemd"
    found = {p.name: p.read_text() for p in folder.iterdir()}
    assert found == samples(), "run `python -m linewatch.first_start.samples`"


@pytest.mark.parametrize("program", [*programs.PROGRAMS, programs.PERSON], ids=lambda p: p.name)
def test_each_programs_settings_are_good(
    program: programs.Program, systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, file in program.files().items():
        (tmp_path / name).write_text((systemd / "secrets" / file).read_text())
    for name in os.environ:
        if name.startswith("LINEWATCH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("LINEWATCH_ENV_FILE", str(systemd / "environment"))
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    settings = get_settings()
    get_settings.cache_clear()
    assert bool(settings.redis_url) == (program.redis_user is not None)
    if program.redis_user is not None:
        assert f"//{program.redis_user}:" in settings.redis_url
    if program.database_role not in (None, "owner"):
        assert f"//linewatch_{program.database_role}_user:" in settings.database_url
