"""Where a console listens: on the loopback address, or by TLS."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from linewatch.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a console listens, and what encrypts.

    Attributes:
        address: where to listen.
        port: TCP.
        certificate: PEM files of the certificate and its key.
        trusted_proxy: address of a proxy in front that speaks TLS; its X-Forwarded-* are believed.
        insecure: allow an address beyond this machine without TLS, with a banner on every page.
        published_on_loopback: in a container whose port only programs of its host reach.
    """

    address: str
    port: int
    certificate: tuple[Path, Path] | None = None
    trusted_proxy: str | None = None
    insecure: bool = False
    published_on_loopback: bool = False

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.certificate is not None or self.trusted_proxy is not None

    @property
    def local(self) -> bool:
        """Whether only programs of this machine reach it."""
        return self.published_on_loopback or is_loopback(self.address)

    def check(self) -> None:
        """See that it may be served so.

        Raises:
            ConfigurationError: it can be reached from elsewhere and nothing encrypts, or the
                certificate cannot be used.
        """
        if not (self.secure or self.insecure or self.local):
            raise ConfigurationError(
                f"--address {self.address} can be reached from other machines: give --certificate "
                "and --key, --trusted-proxy ADDRESS, or --insecure"
            )
        if self.certificate is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self.certificate)
            except (ssl.SSLError, OSError) as error:
                raise ConfigurationError(
                    f"--certificate {self.certificate[0]} and --key {self.certificate[1]} cannot "
                    f"be used: {error}; give two PEM files that belong together"
                ) from None

    def bound(self, *, shared: bool = False) -> list[socket.socket]:
        """Sockets on the address, one for each that its name stands for; nobody listens yet.

        Args:
            shared: others of this user may be bound to the same port, if they are shared as well.
                The kernel gives each that listens its share of new connections.

        Raises:
            ConfigurationError: there is no such address here, or another program has the port.
        """
        found: list[socket.socket] = []
        try:
            for family, kind, protocol, _, address in socket.getaddrinfo(
                self.address, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                one = socket.socket(family, kind, protocol)
                found.append(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if shared:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(address)
        except OSError as error:
            for one in found:
                one.close()
            raise ConfigurationError(
                f"--address {self.address} --port {self.port} cannot be used ({error.strerror}): "
                "choose another port, or stop the program that listens there"
            ) from None
        return found


def is_loopback(address: str) -> bool:
    """Whether only programs of this machine reach it."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
