"""The files of Redis's users: a password and a URL each, and the ACL file of all."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from linewatch.errors import ConfigurationError
from linewatch.private_files import write_new
from linewatch.redis_access.acl import Role, acl_file, password_hash


def password(path: Path) -> str:
    """The password in the file, which is made if it is missing.

    Raises:
        ConfigurationError: the file cannot be read or made.
    """
    try:
        if not path.exists():
            write_new(path, f"{secrets.token_urlsafe(32)}\n")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def with_user(url: str, user: str, secret: str) -> str:
    """`url` with this user and password in it, percent-encoded."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(secret, safe='')}"
    return parts._replace(netloc=f"{login}@{host}").geturl()


def acl_of(
    folder: Path,
    roles: Sequence[Role],
    *,
    url: str | None = None,
    setinfo: bool = False,
    prefix: str = "",
    write: Callable[[Path, str], object] | None = None,
) -> str:
    """The ACL file of these users, whose passwords lie in `folder`; missing ones are made.

    Args:
        folder: a file a user.
        roles: see `linewatch.redis_access.acl`.
        url: where given, `write` is also called with each user's `NAME.url` and its text.
        setinfo, prefix: see `acl_file`.
        write: writes a file.

    Raises:
        ConfigurationError: a password is too short, or a file cannot be read or written.
    """
    hashes = {}
    for role in roles:
        secret = password(folder / role.name)
        hashes[role.name] = password_hash(secret)
        if url is not None and write is not None:
            write(folder / f"{role.name}.url", with_user(url, role.name, secret) + "\n")
    database = int(re.sub(r"\D", "", urlsplit(url or "").path) or 0)
    return acl_file(roles, hashes, database=database, setinfo=setinfo, prefix=prefix)
