"""`linewatch init`: what it makes is private, complete, and never made twice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values

from linewatch.cli import cli
from linewatch.first_start import plant, programs, written
from linewatch.first_start.samples import samples
from linewatch.settings import Settings, get_settings

ROOT = Path(__file__).parents[3]
CABLE = ROOT / "products" / "cable.yaml"


def init(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["init", str(folder), *arguments])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "plant"
    init(folder, "--product", str(CABLE), "--producer", "cam-1")
    return folder


@pytest.fixture(scope="module")
def systemd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "plant"
    url = "postgresql://owner:pw%40x@127.0.0.1:1/linewatch"
    init(folder, "--systemd", "--product", str(CABLE), "--database", url, "--producer", "cam-1")
    return folder


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = init(tmp_path / "p", "--compose", "--systemd", "--product", str(CABLE))
    assert "then:" not in first
    assert "docker compose --profile cpu up -d" in first
    before = contents(tmp_path / "p")
    for arguments in ([], ["--product", str(CABLE)]):
        assert init(tmp_path / "p", "--compose", "--systemd", *arguments) == "nothing to do\n"
    assert contents(tmp_path / "p") == before


def test_no_secret_and_no_edited_file_is_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    init(folder, "--systemd")
    changed = {
        "environment": "LINEWATCH_DATA_DIR=/data/linewatch\n",
        "secrets/signing_keys": f"mine:{'k' * 40}\n",
        "systemd/linewatch-beat.service": "[Unit]\nDescription=mine\n",
    }
    for name, text in changed.items():
        (folder / name).write_text(text)
    said = init(folder, "--systemd", "--producer", "cam-9")
    for name, text in changed.items():
        assert (folder / name).read_text() == text
    assert f"kept {folder}/systemd/linewatch-beat.service" in said
    unit = (folder / "systemd/linewatch-train.service").read_text()  # nobody edited that one
    assert "ReadWritePaths=/data/linewatch\n" in unit
    assert "then: `sudo systemctl restart linewatch-redis`" in said  # or it knows no cam-9
    assert "user producer-cam-9 on" in (folder / "secrets/redis/users.acl").read_text()


def test_a_secret_that_was_deleted_is_made_anew_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    init(folder, "--systemd", "--redis-port", "7777")
    before = contents(folder)
    (folder / "secrets/redis/ops").unlink()
    init(folder, "--systemd")
    after = contents(folder)
    changed = {name for name in after if before[name] != after[name]} - {".made-by-linewatch.json"}
    redis = {"secrets/redis/ops", "secrets/redis/ops.url", "secrets/redis/users.acl"}
    assert changed == redis
    assert b"@127.0.0.1:7777/0" in after["secrets/redis/ops.url"]


@pytest.mark.parametrize(
    "deleted", ["signing_keys", "redis/producer-cam-1", "redis/producer-cam-1.url"]
)
def test_a_camera_pc_goes_on_though_a_secret_was_deleted(tmp_path: Path, deleted: str) -> None:
    """Its file is on another machine: with a new key, each of its pictures would be refused."""
    folder = tmp_path / "p"
    init(folder, "--producer", "cam-1")
    before = contents(folder)
    (folder / "secrets" / deleted).unlink()
    init(folder)
    assert contents(folder) == before


def test_the_database_keeps_its_password(tmp_path: Path) -> None:
    init(tmp_path / "p")
    before = contents(tmp_path / "p")
    (tmp_path / "p/secrets/postgres_password").unlink()
    init(tmp_path / "p")
    assert contents(tmp_path / "p") == before


def test_a_plant_made_by_hand_for_0_1_0_keeps_its_volumes(tmp_path: Path) -> None:
    """Its models and its queue lie there, its users are the image's, and it may sign nothing."""
    folder = tmp_path / "p"
    (folder / "secrets").mkdir(parents=True)
    (folder / "docker-compose.yml").write_text("name: linewatch\n# edited\n")
    (folder / "secrets" / "signing_keys").write_text("")
    assert f"kept {folder}/docker-compose.yml" in init(folder)
    values = dotenv_values(folder / ".env")
    assert not values.keys() & {f"LINEWATCH_{n}" for n in ("DATA", "REDIS_DATA", "UID", "GID")}
    assert values["LINEWATCH_REQUIRE_SIGNATURES"] == "false"
    assert values["LINEWATCH_PICTURES_AT"] == "/pictures"  # so its cameras name them
    assert not (folder / "data").exists()
    assert f"kept {folder}/docker-compose.yml" in init(folder)  # and a second time it is the same
    assert dotenv_values(folder / ".env") == values


def test_a_compose_file_of_0_1_0_that_nobody_edited_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = "name: linewatch\n# of 0.1.0\n"
    monkeypatch.setitem(written.SHIPPED, "docker-compose.yml", written._digest(theirs))
    (tmp_path / "docker-compose.yml").write_text(theirs)
    assert "kept" not in init(tmp_path)
    assert "admin:" in (tmp_path / "docker-compose.yml").read_text()


@pytest.mark.parametrize("name", ["my plant", "100%", "a'b", 'a"b', "a$b"])
def test_a_folder_that_units_cannot_name_is_refused(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(cli, ["init", str(tmp_path / name), "--systemd"])
    assert done.exit_code != 0
    assert "choose a folder" in str(done.exception)
    assert not (tmp_path / name).exists()


def test_what_to_do_next_is_quoted(tmp_path: Path) -> None:
    said = init(tmp_path / "my plant ü")
    assert f"cd '{tmp_path}/my plant ü' && docker" in said


def test_what_is_secret_is_for_its_owner_alone(compose: Path, systemd: Path) -> None:
    secret = ("secrets", "cameras")
    for folder in (compose, systemd):
        for path in [folder / ".env", *(q for n in secret for q in (folder / n).rglob("*"))]:
            if path.exists():
                assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        for name in secret:
            assert (folder / name).stat().st_mode & 0o777 == 0o700
    assert (compose / "data").stat().st_mode & 0o777 == 0o700


def test_a_wrong_product_makes_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("product: x\n")
    done = CliRunner().invoke(cli, ["init", str(tmp_path / "p"), "--product", str(wrong)])
    assert done.exit_code != 0
    assert not (tmp_path / "p").exists()


def test_every_file_that_compose_names_is_there(compose: Path) -> None:
    text = (compose / "docker-compose.yml").read_text()
    assert text == (ROOT / "docker-compose.yml").read_text()
    env = dotenv_values(compose / ".env")
    plan: dict[str, Any] = yaml.safe_load(expanded(text, env))
    for name, secret in plan["secrets"].items():
        assert (compose / secret["file"]).read_text().strip(), name
    for service in plan["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in plan["volumes"] or (compose / source).is_dir(), volume
        if str(service["image"]).startswith("linewatch:"):
            assert service["user"] == f"{env['LINEWATCH_UID']}:{env['LINEWATCH_GID']}"
            assert (Path(service["build"]["context"]) / "Dockerfile").is_file()
            assert (compose / "secrets").stat().st_uid == int(env["LINEWATCH_UID"] or -1)


def expanded(text: str, env: dict[str, str | None]) -> str:
    def value(match: re.Match[str]) -> str:
        return env.get(match[1]) or match[2]

    return re.sub(r"\$\{([A-Z_]+):-([^}]*)\}", value, text)


def plan_of(folder: Path) -> dict[str, Any]:
    """What Compose starts in this folder, with what its .env says."""
    text = (folder / "docker-compose.yml").read_text()
    plan: dict[str, Any] = yaml.safe_load(expanded(text, dotenv_values(folder / ".env")))
    return plan


@pytest.mark.parametrize("pictures", [None, "/srv/line pictures"])
def test_containers_see_pictures_where_the_cameras_say_they_are(
    tmp_path: Path, pictures: str | None
) -> None:
    """A message names its picture by the camera's path: elsewhere, each would be rejected."""
    init(tmp_path / "p", *(["--pictures", pictures] if pictures else []))
    place = pictures or str(tmp_path / "p" / "pictures")
    for name, service in plan_of(tmp_path / "p")["services"].items():
        if str(service["image"]).startswith("linewatch:"):
            roots = service["environment"]["LINEWATCH_IMAGE_ROOTS"]
            assert roots.split(":")[0] == place, name
            mounted = [v.rpartition(":")[0] for v in service["volumes"] if v.endswith(":ro")]
            if name in ("admin", "console") or name.startswith("worker"):
                assert f"{pictures or './pictures'}:{place}" in mounted, name


def test_a_setting_that_compose_does_not_name_reaches_its_programs(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    init(folder)
    plan = plan_of(folder)
    for name, service in plan["services"].items():
        if str(service["image"]).startswith("linewatch:"):
            (file,) = service["env_file"]
            assert (folder / file["path"]).is_file(), name
            assert not dotenv_values(folder / file["path"])
            assert file["required"] is False  # a checkout's own Compose file has none
    (folder / "settings.env").write_text("LINEWATCH_SITE=plant-1\n")
    assert init(folder) == "nothing to do\n"
    assert (folder / "settings.env").read_text() == "LINEWATCH_SITE=plant-1\n"


def test_without_a_checkout_init_says_where_the_image_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "image" not in init(tmp_path / "p")
    monkeypatch.setattr(plant, "_ROOT", tmp_path / "site-packages")
    monkeypatch.setattr(plant, "packaged", lambda name: (ROOT / name).read_text())
    said = init(tmp_path / "q")
    assert "LINEWATCH_SOURCE" in said
    assert "docker load" in said
    assert "LINEWATCH_SOURCE=.\n" in (tmp_path / "q/.env").read_text()


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


def test_compose_gives_each_program_what_the_list_says(compose: Path) -> None:
    services = yaml.safe_load((compose / "docker-compose.yml").read_text())["services"]
    sources = yaml.safe_load((compose / "docker-compose.yml").read_text())["secrets"]
    for program in (*programs.PROGRAMS, programs.PERSON):
        given = services[program.service or program.name]["secrets"]
        named = {
            (s if isinstance(s, str) else s["target"]): sources[
                s if isinstance(s, str) else s["source"]
            ]["file"].removeprefix("./secrets/")
            for s in given
        }
        assert named == program.files(), program.name


def test_signatures_are_required_of_workers_alone(compose: Path) -> None:
    """Where there is no signing key, to require signatures is a mistake that ends the program."""
    services = yaml.safe_load((compose / "docker-compose.yml").read_text())["services"]
    for name, service in services.items():
        has_key = "signing_keys" in str(service.get("secrets"))
        required = "LINEWATCH_REQUIRE_SIGNATURES" in (service.get("environment") or {})
        assert has_key or not required, name
        assert required or not name.startswith("worker"), name


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


def test_a_cameras_file_is_all_it_needs(
    systemd: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LINEWATCH_ENV_FILE", str(systemd / "cameras/cam-1.env"))
    monkeypatch.setenv("LINEWATCH_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    settings: Settings = get_settings()
    get_settings.cache_clear()
    assert "//producer-cam-1:" in settings.redis_url
    assert settings.signing_keys.get_secret_value()


def first_start() -> list[list[str]]:
    """The documented commands, in blocks."""
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.split("## First start\n")[1].split("\n## ")[0]
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", section, re.S)]


def test_the_documented_first_start_is_three_commands_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose, systemd = first_start()
    assert len(compose) == len(systemd) == 3
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "products", tmp_path / "products")
    for block in (compose, systemd):
        words = block[0].removeprefix("sudo ").replace("/etc/linewatch", "plant-2").split()
        assert words[0] in ("linewatch", "/opt/linewatch/bin/linewatch")
        assert words[1] == "init"
        init(Path(words[2]), *words[3:])
    plan = yaml.safe_load((tmp_path / "plant/docker-compose.yml").read_text())
    assert compose[1] == "cd plant && docker compose --profile cpu up -d"
    assert any("cpu" in service.get("profiles", []) for service in plan["services"].values())
    assert compose[2] == "docker compose run --rm admin doctor"
    assert plan["services"]["admin"]["command"] == ["doctor"]
    for line in systemd[1:]:
        (path,) = re.findall(r"/etc/linewatch(/\S+)", line)
        assert (tmp_path / f"plant-2{path}").is_file()


def test_pictures_are_named_from_the_root_without_dots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the file knows the folder, and a link that cameras name stays one."""
    (tmp_path / "share").mkdir()
    (tmp_path / "pictures").symlink_to(tmp_path / "share")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    init(tmp_path / "p", "--systemd", "--pictures", "../pictures")
    roots = dotenv_values(tmp_path / "p" / "environment")["LINEWATCH_IMAGE_ROOTS"]
    assert (roots or "").split(":")[0] == str(tmp_path / "pictures")
