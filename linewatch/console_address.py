"""Where browsers find the console: as the settings say, or as the console that runs here noted.

A note in the data folder lets commands of the same machine, such as `linewatch users link`, print
links that lead to the port that it was given.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from linewatch.private_files import make_folder

if TYPE_CHECKING:
    from linewatch.settings import Settings

USUAL_PORT = 8080
_FILE = "console.url"
_TIMEOUT_S = 1.0


@contextmanager
def noted(settings: Settings, address: str, port: int, *, tls: bool) -> Iterator[None]:
    """Note where a console listens, for as long as it does; without a note where none can be."""
    url, path = url_of(address, port, tls=tls), settings.data_dir / _FILE
    with contextlib.suppress(OSError):
        make_folder(settings.data_dir)
        draft = path.with_name(f".{_FILE}.{os.getpid()}")
        draft.write_text(f"{url}\n", encoding="utf-8")
        draft.replace(path)
    try:
        yield
    finally:
        if _read(path) == url:  # not the note of one that was started later
            path.unlink(missing_ok=True)


def known_address(settings: Settings) -> str | None:
    """LINEWATCH_CONSOLE_URL, or where a console of these settings listens; None: neither."""
    if settings.console_url:
        return settings.console_url.rstrip("/")
    url = _read(settings.data_dir / _FILE)
    return url if url is not None and _listens(url) else None


def usual_address(port: int = USUAL_PORT) -> str:
    """Where a console on this machine is that was given this port."""
    return url_of("127.0.0.1", port, tls=False)


def url_of(address: str, port: int, *, tls: bool) -> str:
    """How a browser of this machine calls a console that listens there."""
    with contextlib.suppress(ValueError):
        ip = ip_address(address)
        if ip.is_unspecified:
            address = "127.0.0.1"
        elif ip.version == 6:
            address = f"[{address}]"
    return f"{'https' if tls else 'http'}://{address}:{port}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _listens(url: str) -> bool:
    """Whether anything takes connections there: a console that was killed left its note."""
    try:
        parts = urlsplit(url)
        where = parts.hostname or "", parts.port or USUAL_PORT
        with socket.create_connection(where, timeout=_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False
