"""`linewatch redis-acl`: hashes to the file, passwords to private files, and nothing twice."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError
from linewatch.redis_access.acl import (
    NO_PASSWORD_FITS,
    ROLES,
    acl_file,
    password_hash,
    producer_role,
)

EXAMPLE = Path(__file__).parents[3] / "deploy" / "redis" / "users.acl"


def run(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["redis-acl", "--passwords", str(folder), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_file_holds_hashes_and_the_folder_passwords(tmp_path: Path) -> None:
    output = run(tmp_path, "--producer", "pc-1", "--url", "rediss://redis:6380/2")
    password = (tmp_path / "worker").read_text().strip()
    assert password not in output
    assert f"user worker on #{hashlib.sha256(password.encode()).hexdigest()} " in output
    url = f"rediss://producer-pc-1:{(tmp_path / 'producer-pc-1').read_text().strip()}"
    assert (tmp_path / "producer-pc-1.url").read_text().strip() == f"{url}@redis:6380/2"
    assert "&/2.celery.pidbox" in output
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert run(tmp_path, "--producer", "pc-1", "--url", "rediss://redis:6380/2") == output


def test_every_password_is_another(tmp_path: Path) -> None:
    run(tmp_path)
    passwords = [path.read_text() for path in tmp_path.iterdir()]
    assert len(set(passwords)) == len(ROLES)


def test_a_weak_password_and_a_strange_host_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="16 characters"):
        password_hash("secret")
    for host in ("pc*", "a b", "", "pc_1", "../x"):
        with pytest.raises(ConfigurationError, match="not a host name"):
            producer_role(host)
    (tmp_path / "worker").write_text("short\n")
    result = CliRunner().invoke(cli, ["redis-acl", "--passwords", str(tmp_path)])
    assert isinstance(result.exception, ConfigurationError)


@pytest.mark.parametrize("url", ["http://redis", "redis://u:p@h/x", "redis://", "nonsense"])
def test_a_wrong_url_is_refused(tmp_path: Path, url: str) -> None:
    arguments = ["redis-acl", "--passwords", str(tmp_path / "new"), "--url", url]
    assert CliRunner().invoke(cli, arguments).exit_code == 2
    assert not (tmp_path / "new").exists()


def test_setinfo_goes_to_each_role_before_its_selectors() -> None:
    hashes = {role.name: NO_PASSWORD_FITS for role in ROLES}
    lines = acl_file(ROLES, hashes, setinfo=True).splitlines()[1:]
    assert all("+client|setinfo" in line.partition("(")[0] for line in lines)


def test_the_example_is_what_the_command_writes() -> None:
    roles = [*ROLES, producer_role("camera-pc-1")]
    hashes = {role.name: NO_PASSWORD_FITS for role in roles}
    assert EXAMPLE.read_text(encoding="utf-8") == acl_file(roles, hashes)
