"""`linewatch console`."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.console_address import USUAL_PORT

if TYPE_CHECKING:
    from console.listening import Listening
    from linewatch.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--port", default=USUAL_PORT, show_default=True, type=click.IntRange(1, 65535))
@click.option("--address", default="127.0.0.1", show_default=True)
@click.option("--certificate", type=_FILE, help="PEM; speaks TLS with it.")
@click.option("--key", type=_FILE, help="PEM; the certificate's key.")
@click.option("--trusted-proxy", metavar="ADDRESS", help="A proxy in front that speaks TLS.")
@click.option("--insecure", is_flag=True, help="Allow other machines without TLS; pages say so.")
@click.option(
    "--published-on-loopback",
    is_flag=True,
    help="In a container whose port is published on its host's loopback address alone.",
)
@click.option("--socket", "sockets", type=int, multiple=True, hidden=True)  # beside other processes
def command(
    port: int,
    address: str,
    certificate: Path | None,
    key: Path | None,
    trusted_proxy: str | None,
    insecure: bool,
    published_on_loopback: bool,
    sockets: tuple[int, ...],
) -> None:
    """Serve the console: lines, review, reports, models, parts, queue.

    On the loopback address; any other needs TLS, a trusted proxy that speaks it, or --insecure.
    LINEWATCH_CONSOLE_PROCESSES says in how many processes.
    """
    from linewatch.extras import need
    from linewatch.settings import get_settings

    need("fastapi", "uvicorn", "jinja2", "sqlalchemy")
    if bool(certificate) != bool(key):
        raise click.UsageError("--certificate and --key need each other")
    from console.listening import Listening
    from linewatch.commands._database import opened

    settings = get_settings()
    listening = Listening(
        address,
        port,
        certificate=(certificate, key) if certificate and key else None,
        trusted_proxy=trusted_proxy,
        insecure=insecure,
        published_on_loopback=published_on_loopback,
    )
    if sockets:  # the process that handed them over has looked at all else
        _serve(settings, listening, [socket.socket(fileno=number) for number in sockets])
        return
    listening.check()
    opened()
    count = settings.processes_of_console
    if count == 1:
        bound = listening.bound()  # before it is noted: the port may be another console's
        with _noted(settings, listening):
            _serve(settings, listening, bound)
        return
    from console.processes import Processes

    processes = Processes(_again(listening), listening, count)
    with _noted(settings, listening):
        code = processes.run()
    sys.exit(code)


def _serve(settings: Settings, listening: Listening, sockets: Sequence[socket.socket]) -> None:
    from console.serve import serve

    serve(settings, listening, sockets)


def _noted(settings: Settings, listening: Listening) -> AbstractContextManager[None]:
    """Behind a proxy browsers come to the proxy, and only the settings know where that is."""
    from linewatch.console_address import noted

    if listening.trusted_proxy is not None:
        return nullcontext()
    tls = listening.certificate is not None
    return noted(settings, listening.address, listening.port, tls=tls)


def _again(listening: Listening) -> list[str]:
    """This command again, up to its sockets."""
    from linewatch.services import python_command

    options = ["--port", str(listening.port), "--address", listening.address]
    if listening.certificate:
        certificate, key = listening.certificate
        options += ["--certificate", str(certificate), "--key", str(key)]
    if listening.trusted_proxy:
        options += ["--trusted-proxy", listening.trusted_proxy]
    options += ["--insecure"] * listening.insecure
    options += ["--published-on-loopback"] * listening.published_on_loopback
    return python_command("linewatch", "console", *options)
