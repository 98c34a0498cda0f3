"""`linewatch redis-acl`."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit

import click

from linewatch.errors import ConfigurationError


@click.command()
@click.option(
    "--passwords",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of password files, one a user; missing ones are made.",
)
@click.option("--producer", "hosts", multiple=True, metavar="HOST", help="A camera PC; repeat.")
@click.option("--url", help="Also write each user's URL file, such as redis://redis:6379/0.")
@click.option(
    "--setinfo/--no-setinfo",
    default=False,
    show_default=True,
    help="Allow CLIENT SETINFO: for Redis 7.2 and newer, which would log its refusal.",
)
def command(passwords: Path, hosts: tuple[str, ...], url: str | None, setinfo: bool) -> None:
    """Write the Redis users that producers, workers and operators need.

    Prints an ACL file for `redis-server --aclfile FILE`. It holds hashes, no passwords; those lie
    in the folder, readable by you alone.
    """
    from linewatch.redis_acl import ROLES, acl_file, password_hash, producer_role

    if url is not None and not re.match(r"rediss?://[^/]+(/\d*)?$", url):
        raise click.BadParameter(f"{url!r} is not like redis://host:6379/0")
    roles = [*ROLES, *(producer_role(host) for host in dict.fromkeys(hosts))]
    passwords.mkdir(parents=True, exist_ok=True, mode=0o700)
    hashes = {}
    for role in roles:
        password = _password(passwords / role.name)
        hashes[role.name] = password_hash(password)
        if url is not None:
            _write(passwords / f"{role.name}.url", _with_user(url, role.name, password))
    database = int(urlsplit(url or "").path.strip("/") or 0)
    click.echo(acl_file(roles, hashes, database=database, setinfo=setinfo), nl=False)


def _password(path: Path) -> str:
    """The password in the file, which is made if it is missing."""
    if not path.exists():
        _write(path, secrets.token_urlsafe(32))
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - private from birth
            file.write(f"{text}\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _with_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
