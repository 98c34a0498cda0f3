"""`linewatch init`: what it makes is private, complete, and never made twice."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values

from linewatch.cli import cli
from linewatch.settings import Settings, get_settings
from tests.support.first_start import CABLE, ROOT, contents, init


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
