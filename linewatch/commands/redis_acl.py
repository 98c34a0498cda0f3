"""`linewatch redis-acl`."""

from __future__ import annotations

import os
import re
from pathlib import Path

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
    in the folder, readable by you alone. Keys have the prefix LINEWATCH_REDIS_KEY_PREFIX.
    """
    from linewatch.private_files import make_folder
    from linewatch.redis_access.acl import ROLES, producer_role
    from linewatch.redis_access.users import acl_of
    from linewatch.settings import get_settings

    if url is not None and not re.match(r"rediss?://[^/]+(/\d*)?$", url):
        raise click.BadParameter(f"{url!r} is not like redis://host:6379/0")
    roles = [*ROLES, *(producer_role(host) for host in dict.fromkeys(hosts))]
    try:
        make_folder(passwords)
    except OSError as error:
        raise ConfigurationError(f"{passwords}: {error}") from None
    prefix = get_settings().redis_key_prefix
    text = acl_of(passwords, roles, url=url, setinfo=setinfo, prefix=prefix, write=_write)
    click.echo(text, nl=False)


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - private from birth
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error}") from None
