"""docker-compose.yml: what it starts exists, and what it starts is held as tightly as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from db import roles
from linewatch.cli import cli
from linewatch.first_start.programs import LOGIN_FILES, PROGRAMS, Program
from linewatch.first_start.samples import samples
from linewatch.services import REDIS_OPTIONS
from linewatch.settings import Settings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
# As it is where no variable is set.
COMPOSE: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", TEXT))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if str(s["image"]).startswith("linewatch:")}


def secrets_of(service: dict[str, Any]) -> list[dict[str, str]]:
    """Source and target of each; one without a target keeps its name."""
    secrets = service.get("secrets", [])
    return [s if isinstance(s, dict) else {"source": s, "target": s} for s in secrets]


def parses(arguments: list[str]) -> None:
    """Whether the command line knows these words; runs nothing."""
    command: click.Command = cli
    context = click.Context(cli)
    words = list(arguments)
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"linewatch has no command {name!r}"
        command = found
    command.make_context(command.name, words)


def test_our_services_are_what_we_think() -> None:
    assert {"migrate", "worker-gpu", "worker-cpu-inspect", "worker-cpu", "beat", "flower"} <= set(
        OURS
    )


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_command_exists(name: str) -> None:
    parses(OURS[name]["command"])


@pytest.mark.parametrize("name", sorted(n for n, s in OURS.items() if "healthcheck" in s))
def test_its_health_check_exists(name: str) -> None:
    how, *words = OURS[name]["healthcheck"]["test"]
    assert how == "CMD"
    if words[0] == "linewatch":
        parses(words[1:])
    else:
        assert words[:2] == ["python", "-c"]
        compile(words[2], name, "exec")


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"postgres"}))
def test_it_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    user, _, _group = service["user"].partition(":")
    assert int(user) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_every_secret_is_a_declared_file_and_every_file_is_used() -> None:
    used = {secret["source"] for service in SERVICES.values() for secret in secrets_of(service)}
    assert used == set(COMPOSE["secrets"])
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    for ignored in (".gitignore", ".dockerignore"):
        lines = (ROOT / ignored).read_text(encoding="utf-8").split()
        assert {"secrets", "/secrets/"} & set(lines), ignored


def test_a_secret_is_read_under_the_name_of_a_setting() -> None:
    for service in OURS.values():
        for secret in secrets_of(service):
            if secret["target"] in LOGIN_FILES:  # of users that `db prepare` makes
                continue
            name = secret["target"].removeprefix("LINEWATCH_").lower()
            assert name in Settings.model_fields, secret


def test_no_two_kinds_of_service_share_a_redis_user() -> None:
    users = {
        name: secret["source"]
        for name, service in OURS.items()
        for secret in secrets_of(service)
        if secret["target"] == "LINEWATCH_REDIS_URL"
    }
    assert users["beat"] == "redis_url_beat"
    assert users["flower"] == "redis_url_flower"
    assert {users[name] for name in users if name.startswith("worker")} == {"redis_url_worker"}
    assert "migrate" not in users


def test_no_secret_stands_in_the_file() -> None:
    assert not re.search(r"://[^/\s:]+:[^@\s$]+@", TEXT)
    for service in SERVICES.values():
        for key, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|AUTH|KEYS", key):
                assert key.endswith(("_FILE", "_DIR", "_SIGNATURES")), f"{key}={value}"


def test_ports_are_open_on_this_machine_alone() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_a_made_up_command_would_be_found() -> None:
    with pytest.raises(AssertionError, match="no command 'wroker'"):
        parses(["wroker"])
    with pytest.raises(click.UsageError):
        parses(["worker", "--no-such-option"])
    assert CliRunner().invoke(cli, ["worker", "--help"]).exit_code == 0


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_its_memory_is_limited(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])


def test_redis_refuses_before_its_memory_is_full() -> None:
    command = SERVICES["redis"]["command"].split()
    most = command[command.index("--maxmemory") + 1]
    assert most == "1gb"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert SERVICES["redis"]["mem_limit"] == "3g"  # rewriting its file may double it


def test_every_redis_of_ours_keeps_and_refuses_the_same() -> None:
    """Compose's, that of the units and that of `linewatch up`."""
    _, *words = shlex.split(SERVICES["redis"]["command"])
    compose = {a.removeprefix("--"): b for a, b in zip(words[::2], words[1::2], strict=True)}
    assert {name: compose[name] for name in REDIS_OPTIONS} == dict(REDIS_OPTIONS)
    conf = dict(line.split(" ", 1) for line in samples()["redis.conf"].splitlines())
    assert {name: conf[name].strip('"') for name in REDIS_OPTIONS} == dict(REDIS_OPTIONS)
    assert conf["proto-max-bulk-len"] == compose["proto-max-bulk-len"]
    memory = SERVICES["redis"]["mem_limit"].upper()
    assert f"MemoryMax={memory}\n" in samples()["linewatch-redis.service"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_service_has_the_memory_and_the_time_to_end_that_its_unit_has(program: Program) -> None:
    service = SERVICES[program.service or program.name]
    assert service["mem_limit"] == program.memory
    assert service["stop_grace_period"] == f"{program.stop_s}s"


def test_inspect_workers_show_metrics_on_this_machine_alone() -> None:
    for name in ("worker-gpu", "worker-cpu-inspect"):
        assert SERVICES[name]["environment"]["LINEWATCH_METRICS_PORT"] == 9464
        (port,) = SERVICES[name]["ports"]
        assert re.fullmatch(r"127\.0\.0\.1:\d+:9464", port)


def test_a_person_may_register_a_product() -> None:
    admin = SERVICES["admin"]
    given = {s["target"]: s["source"] for s in secrets_of(admin)}
    assert given["LINEWATCH_DATABASE_URL"] == "database_url_console"
    assert roles.RIGHTS["products"][roles.ROLES.index(roles.CONSOLE)] == "SIU"
    assert "./products:/products:ro" in admin["volumes"]
    parses(["products", "register", "/products/cable.yaml"])
    assert "admin" in SERVICES["migrate"]["profiles"]  # or `compose run admin` is refused


def test_the_image_has_openvino() -> None:
    assert re.search(r"'\.\[worker,openvino[],]", (ROOT / "Dockerfile").read_text())


def test_a_file_in_the_folder_that_a_service_reads_is_mounted_there() -> None:
    """Of the settings that name a file: each is in a folder that this container has."""
    named = []
    for name, service in OURS.items():
        mounts = {volume.split(":")[-2]: volume for volume in service.get("volumes", ())}
        for setting, path in service.get("environment", {}).items():
            if setting.endswith("_FILE"):
                named.append((name, setting))
                assert str(Path(path).parent) in mounts, f"{name} has no {path}"
    assert ("alerts", "LINEWATCH_ALERTS_FILE") in named
    assert ("console", "LINEWATCH_ALERTS_FILE") in named, "its page says who is told"


@pytest.mark.parametrize("program", ["alerts", "outputs"])
def test_a_person_may_try_the_file_that_a_service_reads(program: str) -> None:
    """`docker compose run --rm admin outputs test`: with the service's file and its secrets."""
    service, admin = SERVICES[program], SERVICES["admin"]
    setting = f"LINEWATCH_{program.upper()}_FILE"
    assert admin["environment"][setting] == service["environment"][setting]
    assert f"./{program}:/{program}:ro" in admin["volumes"]
    parses([program, "test"])
    told = {secret["target"] for secret in secrets_of(service)}
    assert told <= {secret["target"] for secret in secrets_of(admin)}


def test_every_service_that_makes_links_knows_where_the_console_is() -> None:
    wanted = TEXT.split("LINEWATCH_CONSOLE_URL: ")[1].splitlines()[0]
    assert "${LINEWATCH_CONSOLE_URL:-}" in wanted
    for name in ("admin", "alerts", "console"):
        assert "LINEWATCH_CONSOLE_URL" in OURS[name]["environment"], name
