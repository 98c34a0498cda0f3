"""A plant for Compose: its file finds what it names, and each service what it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from linewatch.first_start import plant, programs, written
from tests.support.first_start import ROOT, init


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
