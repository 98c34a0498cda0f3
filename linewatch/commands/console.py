"""`linewatch console`."""

from __future__ import annotations

from pathlib import Path

import click

from linewatch.console_address import USUAL_PORT

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
def command(
    port: int,
    address: str,
    certificate: Path | None,
    key: Path | None,
    trusted_proxy: str | None,
    insecure: bool,
    published_on_loopback: bool,
) -> None:
    """Serve the console: lines, review, reports, models, parts, queue.

    On the loopback address; any other needs TLS, a trusted proxy that speaks it, or --insecure.
    """
    from linewatch.extras import need
    from linewatch.settings import get_settings

    need("fastapi", "uvicorn", "jinja2", "sqlalchemy")
    if bool(certificate) != bool(key):
        raise click.UsageError("--certificate and --key need each other")
    from console.serve import serve
    from linewatch.commands._database import opened

    opened()
    serve(
        get_settings(),
        address=address,
        port=port,
        certificate=(certificate, key) if certificate and key else None,
        trusted_proxy=trusted_proxy,
        insecure=insecure,
        published_on_loopback=published_on_loopback,
    )
