"""The secrets of a plant: made once, never written again."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from dotenv import dotenv_values

from linewatch.first_start.programs import LOGIN_ROLES
from linewatch.first_start.written import MadeFiles
from linewatch.private_files import write_new
from linewatch.redis_access.acl import ROLES, Role, producer_role
from linewatch.redis_access.users import acl_of, password, with_user


def this_host() -> str:
    """This machine's name, as its cameras' producer ids begin."""
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:64].strip("-") or "camera"


def make_shared(files: MadeFiles) -> None:
    """The signing key, Flower's password, and a place for the addresses of alerts."""
    known = (said.get("LINEWATCH_SIGNING_KEYS") for said in _camera_files(files).values())
    key = next(filter(None, known), f"{datetime.now(UTC):%Y%m}:{secrets.token_hex(32)}")
    files.once("secrets/signing_keys", f"{key}\n")
    files.once("secrets/flower_basic_auth", f"linewatch:{secrets.token_urlsafe(24)}\n")
    files.once(
        "secrets/alert_urls",
        "# NAME=URL, one a line: the addresses that alerts/alerts.yaml names; see docs/alerts.md\n",
    )


def make_redis_users(
    files: MadeFiles, hosts: Iterable[str], *, url: str, setinfo: bool
) -> list[str]:
    """Passwords, URLs and the ACL file; returns the camera hosts, old ones included.

    Raises:
        ConfigurationError: a host's name is not usable.
    """
    folder = files.subfolder("secrets/redis")
    known = {path.name.removeprefix("producer-") for path in folder.glob("producer-*")}
    known = {name.removesuffix(".url") for name in known} | set(_camera_files(files))
    everyone = sorted(known | set(hosts) or {this_host()})
    roles: list[Role] = [*ROLES, *(producer_role(host) for host in everyone)]
    for role in roles:
        path = folder / role.name
        if not path.exists():
            theirs = _known_password(files, role.name)
            if theirs is None:
                password(path)
            else:
                write_new(path, f"{theirs}\n")
            files.adopt(path)

    def write(path: Path, text: str) -> None:
        files.generated(f"secrets/redis/{path.name}", text)

    text = acl_of(folder, roles, url=url, setinfo=setinfo, write=write)
    files.generated("secrets/redis/users.acl", text)
    return everyone


def _camera_files(files: MadeFiles) -> dict[str, dict[str, str | None]]:
    """What each camera PC was given: where a secret was deleted here, theirs must go on working."""
    folder = files.folder / "cameras"
    return {path.stem: dotenv_values(path) for path in sorted(folder.glob("*.env"))}


def _known_password(files: MadeFiles, user: str) -> str | None:
    """The password that a camera PC was given for its Redis user."""
    said = _camera_files(files).get(user.removeprefix("producer-"), {})
    login = urlsplit(said.get("LINEWATCH_REDIS_URL") or "")
    return unquote(login.password) if login.username == user and login.password else None


def make_camera_files(files: MadeFiles, hosts: Iterable[str], *, url: str) -> None:
    """An environment file for each camera PC, with all that it needs to hand pictures over."""
    keys = (files.folder / "secrets/signing_keys").read_text().strip()
    for host in hosts:
        user = f"producer-{host}"
        secret = password(files.folder / "secrets/redis" / user)
        files.once(
            f"cameras/{host}.env",
            f"# For {host}: LINEWATCH_ENV_FILE names this file there. Keep it secret.\n"
            f"LINEWATCH_REDIS_URL={with_user(url, user, secret)}\n"
            f"LINEWATCH_SIGNING_KEYS={keys}\n",
        )


def make_database_urls(files: MadeFiles, owner_url: str) -> None:
    """The owner's URL, and one with a user of its own for each role."""
    files.once("secrets/database_url_owner", f"{owner_url}\n")
    owner_url = (files.folder / "secrets/database_url_owner").read_text().strip()
    scheme, _, rest = owner_url.partition("://")
    login, at, place = rest.rpartition("@")
    if not at:
        place = login or rest
    database = re.sub(r"[^a-z0-9_]", "_", place.rpartition("/")[2].partition("?")[0].lower())
    for role in LOGIN_ROLES:
        user = f"{database or 'linewatch'}_{role}_user"
        secret = quote(secrets.token_urlsafe(32), safe="")
        files.once(f"secrets/database_url_{role}", f"{scheme}://{user}:{secret}@{place}\n")
