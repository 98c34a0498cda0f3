"""Who looks at the demonstration in the console: an admin without a password, let in by a link."""

from __future__ import annotations

import shlex
import shutil
import sys
from datetime import timedelta
from pathlib import Path

from db.people import links, users
from db.session import engine_for, transaction
from linewatch.console_address import usual_address
from linewatch.settings import Settings

NAME = "demo"
_LASTS = timedelta(hours=1)


def sign_in_link(settings: Settings, port: int) -> str:
    """A link that signs the guest in once, on this machine."""
    engine = engine_for(settings.sql_url)
    known = users.named(engine, NAME) is not None
    with transaction(engine) as connection:
        if not known:
            users.add(connection, NAME, "admin", password_hash=None, by=NAME)
        token = links.make(connection, NAME, by=NAME, lasts=_LASTS)
    return f"{usual_address(port)}{links.path(token)}"


def own_command() -> str:
    """What a person types to start this very Linewatch: its path, unless the PATH leads to it."""
    own = Path(sys.executable).with_name("linewatch")
    found = shutil.which("linewatch")
    if not own.exists() or (found is not None and Path(found).samefile(own)):
        return "linewatch"
    return shlex.quote(str(own))


def opened_by(settings: Settings, port: int) -> str:
    """The command that opens the console on the demonstration's data."""
    roots = ":".join(map(str, settings.image_roots))
    values = {"LINEWATCH_DATA_DIR": str(settings.data_dir), "LINEWATCH_IMAGE_ROOTS": roots}
    words = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    return " ".join([*words, own_command(), "console", "--port", str(port)])
