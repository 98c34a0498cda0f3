"""What systemd is told, over a real socket."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from linewatch import service_manager


@pytest.mark.parametrize("abstract", [False, True])
def test_states_reach_the_service_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    name = f"{'@' if abstract else ''}{tmp_path / 'notify'}"
    monkeypatch.setenv(service_manager.SOCKET, name)
    assert not service_manager.notify(service_manager.READY)  # nobody listens
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        assert service_manager.notify(service_manager.READY, service_manager.ALIVE)
        assert manager.recv(100) == b"READY=1\nWATCHDOG=1"


@pytest.mark.parametrize("name", ["", "relative"])
def test_without_one_nothing_happens(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(service_manager.SOCKET, name)
    assert not service_manager.notify(service_manager.READY)
