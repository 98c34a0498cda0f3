"""What receivers need: a folder, an HTTP server, the program itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from linewatch.services import python_command
from linewatch.settings import Settings
from tests.support.webhook_server import WebhookServer


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    found = WebhookServer()
    yield found
    found.close()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes the file of outputs, and says where it is."""

    def written(*receivers: dict[str, Any]) -> Path:
        path = tmp_path / "outputs.yaml"
        path.write_text(yaml.safe_dump({"lines": {"L1": {"receivers": list(receivers)}}}))
        monkeypatch.setenv("LINEWATCH_OUTPUTS_FILE", str(path))
        from linewatch.settings import get_settings

        get_settings.cache_clear()
        return path

    return written


@pytest.fixture
def program(settings: Settings, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `linewatch outputs run`; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "outputs.log").open("ab") as log:
            command = python_command("linewatch", "outputs", "run")
            environment = {**os.environ, "LINEWATCH_DATABASE_URL": settings.sql_url}
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
