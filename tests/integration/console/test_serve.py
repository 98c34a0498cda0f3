"""`linewatch console`: on the loopback address, or encrypted, or each page says that it is not."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError
from linewatch.services import free_port
from linewatch.settings import Settings
from tests.support.waiting import until


def test_other_machines_need_tls(settings: Settings) -> None:
    for address in ("0.0.0.0", "192.168.1.7", "::", "plant.example"):
        with pytest.raises(ConfigurationError, match="--certificate and --key"):
            CliRunner().invoke(cli, ["console", "--address", address], catch_exceptions=False)
    half = CliRunner().invoke(cli, ["console", "--certificate", __file__])
    assert "need each other" in half.output


def test_a_link_leads_to_the_port_that_the_console_was_given(
    sqlite_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings()
    port, run = free_port(), CliRunner().invoke
    assert run(cli, ["users", "add", "eve", "--role", "viewer", "--no-password"]).exit_code == 0
    before = run(cli, ["users", "link", "eve"])
    assert "no console of these settings runs on this machine" in before.stderr
    assert before.stdout.startswith("http://127.0.0.1:8080/sign-in/link/")
    command = [sys.executable, "-m", "linewatch", "console", "--port", str(port)]
    with subprocess.Popen(command) as process:
        try:
            until(lambda: _listens(port) or process.poll() is not None, 60)
            link = run(cli, ["users", "link", "eve"]).output.strip()
            assert link.startswith(f"http://127.0.0.1:{port}/sign-in/link/")
            page = httpx.get(link)
            assert (page.status_code, "eve" in page.text) == (200, True)
        finally:
            process.terminate()


def test_a_taken_port_and_files_that_are_no_certificate_are_said(
    settings: Settings, sqlite_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match=rf"--port {port} cannot be used .*another"):
            CliRunner().invoke(cli, ["console", "--port", port], catch_exceptions=False)
    file = tmp_path / "cert.pem"
    file.write_text("no certificate")
    both = ["--certificate", str(file), "--key", str(file)]
    with pytest.raises(ConfigurationError, match=r"cert\.pem.*belong together"):
        CliRunner().invoke(cli, ["console", *both], catch_exceptions=False)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["tls", "insecure"])
def test_it_serves_and_says_how(
    how: str, tmp_path: Path, sqlite_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings()
    port, files = free_port(), (tmp_path / "cert.pem", tmp_path / "key.pem")
    arguments = ["--address", "0.0.0.0", "--insecure"]
    if how == "tls":
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        out = ["-nodes", "-keyout", files[1], "-out", files[0], "-days", "2"]
        subprocess.run([*new, *out, *subject], check=True, capture_output=True)
        arguments = ["--address", "0.0.0.0", "--certificate", files[0], "--key", files[1]]
    command = [sys.executable, "-m", "linewatch", "console", "--port", str(port), *arguments]
    with subprocess.Popen(command) as process:
        try:
            until(lambda: _listens(port) or process.poll() is not None, 60)
            trusted = ssl.create_default_context(cafile=str(files[0])) if how == "tls" else True
            scheme = "https" if how == "tls" else "http"
            page = httpx.get(f"{scheme}://localhost:{port}/sign-in", verify=trusted).text
            assert ("can be reached without encryption" in page) == (how == "insecure")
        finally:
            process.terminate()
    assert process.returncode in (0, -15)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
