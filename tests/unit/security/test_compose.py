"""docker-compose.yml: what it starts exists, and what it starts is held as tightly as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.settings import Settings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if str(s["image"]).startswith("linewatch:")}


def secrets_of(service: dict[str, Any]) -> list[dict[str, str]]:
    return [s if isinstance(s, dict) else {"source": s} for s in service.get("secrets", [])]


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
            assert port.startswith(("127.0.0.1:", "${LINEWATCH_REDIS_BIND:-127.0.0.1}:"))


def test_a_made_up_command_would_be_found() -> None:
    with pytest.raises(AssertionError, match="no command 'wroker'"):
        parses(["wroker"])
    with pytest.raises(click.UsageError):
        parses(["worker", "--no-such-option"])
    assert CliRunner().invoke(cli, ["worker", "--help"]).exit_code == 0
