"""Where links lead: to the address that is set, else to the console that runs here."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from linewatch.console_address import known_address, noted, url_of
from linewatch.services import free_port
from linewatch.settings import Settings


@pytest.fixture
def port() -> Iterator[int]:
    """One that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_console_that_runs_is_found_while_it_runs(settings: Settings, port: int) -> None:
    assert known_address(settings) is None
    with noted(settings, "0.0.0.0", port, tls=True):
        assert known_address(settings) == f"https://127.0.0.1:{port}"
    assert known_address(settings) is None


def test_a_note_of_one_that_was_killed_is_not_believed(settings: Settings) -> None:
    with noted(settings, "127.0.0.1", free_port(), tls=False):
        assert known_address(settings) is None


def test_the_note_of_a_later_one_stays(settings: Settings, port: int) -> None:
    with noted(settings, "127.0.0.1", free_port(), tls=False):
        later = noted(settings, "127.0.0.1", port, tls=False)
        later.__enter__()
    assert known_address(settings) == f"http://127.0.0.1:{port}"
    later.__exit__(None, None, None)


def test_what_is_set_goes_first(make_settings: Callable[..., Settings], port: int) -> None:
    settings = make_settings(console_url="https://plant.example/")
    with noted(settings, "127.0.0.1", port, tls=False):
        assert known_address(settings) == "https://plant.example"


def test_a_folder_that_cannot_be_written_stops_no_console(
    make_settings: Callable[..., Settings], port: int
) -> None:
    settings = make_settings()
    settings = settings.model_copy(update={"data_dir": settings.data_dir / "file" / "below"})
    settings.data_dir.parent.write_text("no folder")
    with noted(settings, "127.0.0.1", port, tls=False):
        assert known_address(settings) is None


def test_addresses_as_a_browser_calls_them() -> None:
    assert url_of("::", 1, tls=False) == "http://127.0.0.1:1"
    assert url_of("::1", 1, tls=False) == "http://[::1]:1"
    assert url_of("plant.example", 443, tls=True) == "https://plant.example:443"
