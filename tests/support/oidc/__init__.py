"""npm's oidc-provider, and a browser without scripts that signs in there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

PACKAGE = "LINEWATCH_TEST_OIDC_PROVIDER"  # the folder of the npm package oidc-provider


@contextmanager
def provider(callback: str) -> Iterator[str]:
    """The provider, which knows the client `linewatch`; gives its issuer. Skips without it."""
    node, folder = shutil.which("node"), _package()
    if node is None:
        pytest.skip("no node on PATH")
    if folder is None:
        pytest.skip(f"npm's oidc-provider is not installed; name its folder in {PACKAGE}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("server.mjs")
    command = [node, str(script), str(folder), str(port), callback]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "ready" in iter(lambda: process.stdout.readline().strip(), "")  # type: ignore[union-attr]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def come_back(address: str, name: str, browser: httpx.Client) -> str:
    """Go where the console sent the browser, sign in, agree; gives the address it is sent back to.

    `browser` keeps the provider's cookies from one time to the next.
    """
    for _ in range(20):
        answer = browser.get(address)
        while answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            if "/sign-in/provider/back" in address:
                return address
            answer = browser.get(address)
        action = unescape(re.search(r'action="([^"]+)"', answer.text)[1])  # type: ignore[index]
        asked = "login" if 'name="login"' in answer.text else "consent"
        form = {"prompt": asked, "login": name, "password": "any"}
        sent = browser.post(urljoin(str(answer.url), action), data=form)
        address = urljoin(str(sent.url), sent.headers["location"])
    raise AssertionError(f"the provider sends round and round: {address}")


def _package() -> Path | None:
    named = os.environ.get(PACKAGE)
    if named:
        return Path(named)
    npm = shutil.which("npm")
    if npm is None:
        return None
    root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False)
    folder = Path(root.stdout.strip() or "/nowhere") / "oidc-provider"
    return folder if folder.is_dir() else None
