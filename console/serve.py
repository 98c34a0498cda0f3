"""Serves the console: on the loopback address, or by TLS."""

from __future__ import annotations

from contextlib import nullcontext
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from console.app import create_app
from console.site import Site
from console.words import Words
from db.session import engine_for
from linewatch.console_address import noted
from linewatch.errors import ConfigurationError
from linewatch.settings import Settings

_UNSAFE = "This console can be reached without encryption: passwords and sessions can be read."


def serve(
    settings: Settings,
    *,
    address: str,
    port: int,
    certificate: tuple[Path, Path] | None = None,
    trusted_proxy: str | None = None,
    insecure: bool = False,
    published_on_loopback: bool = False,
) -> None:
    """Serve until interrupted.

    Args:
        settings: of the plant.
        address: where to listen.
        port: TCP.
        certificate: PEM files of the certificate and its key.
        trusted_proxy: address of a proxy in front that speaks TLS; its X-Forwarded-* are believed.
        insecure: allow an address beyond this machine without TLS, with a banner on every page.
        published_on_loopback: in a container whose port only programs of its host reach.

    Raises:
        ConfigurationError: the address can be reached from elsewhere, and nothing encrypts.
    """
    secure = certificate is not None or trusted_proxy is not None
    local = published_on_loopback or is_loopback(address)
    if not (secure or insecure or local):
        raise ConfigurationError(
            f"--address {address} can be reached from other machines: give --certificate and "
            "--key, --trusted-proxy ADDRESS, or --insecure"
        )
    site = Site(settings, engine_for(settings.sql_url), Words(settings.plant_timezone), secure)
    app = create_app(site, banner="" if secure or local else _UNSAFE)
    # Where a proxy speaks TLS, browsers come to the proxy, and only the settings know where it is.
    noting = noted(settings, address, port, tls=certificate is not None)
    note = nullcontext() if trusted_proxy is not None else noting
    site.intake.resume()
    try:
        with note:
            uvicorn.run(
                app,
                host=address,
                port=port,
                ssl_certfile=certificate[0] if certificate else None,
                ssl_keyfile=certificate[1] if certificate else None,
                proxy_headers=trusted_proxy is not None,
                forwarded_allow_ips=trusted_proxy,
                server_header=False,
                log_level="warning",
                timeout_graceful_shutdown=5,
            )
    finally:
        site.intake.close()


def is_loopback(address: str) -> bool:
    """Whether only programs of this machine reach it."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
