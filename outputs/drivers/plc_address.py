"""Whether one can listen at an address."""

from __future__ import annotations

import socket

from linewatch.errors import ConfigurationError


def may_listen(host: str, port: int) -> None:
    """Say why one cannot listen there, before a library says only that it failed.

    Raises:
        ConfigurationError: one cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"it cannot listen on {host} port {port}: {error.strerror}; `address` must be one"
                " of this machine's, the port free (another `linewatch outputs`?), and one below"
                " 1024 needs rights"
            ) from None
