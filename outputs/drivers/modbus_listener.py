"""Pymodbus' TCP server, with a list of who may connect and a limit of how many."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler

MAX_CONNECTIONS = 16
KEEPALIVE_S = 5  # after a pulled cable, a connection is given up in about four times this

logger = logging.getLogger(__name__)


class _Handler(ServerRequestHandler):  # type: ignore[misc]
    """One connection; one from elsewhere is closed before it has said a word."""

    server: Listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse who is not on the list, and whoever is one too many."""
        super().connection_made(transport)
        peer = str(transport.get_extra_info("peername")[0])
        wrong = self.server.refuses(peer)
        if wrong:
            self.server.refused += 1
            logger.warning("Modbus: a connection from %s is refused: %s", peer, wrong)
            self.close()
            return
        self.server.admitted.add(self)
        _keep_alive(transport.get_extra_info("socket"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another."""
        self.server.admitted.discard(self)
        super().connection_lost(exc)


class Listener(ModbusTcpServer):  # type: ignore[misc]
    """The server."""

    def __init__(
        self,
        context: Any,
        address: tuple[str, int],
        clients: Sequence[IPv4Network | IPv6Network],
    ) -> None:
        super().__init__(context, address=address)
        self._clients = clients
        self.refused = 0
        self.admitted: set[_Handler] = set()

    def refuses(self, peer: str) -> str | None:
        """Why that address may not connect now; None: it may."""
        address = ip_address(peer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if not any((mapped or address) in network for network in self._clients):
            return "it is not in `clients`"
        if len(self.admitted) >= MAX_CONNECTIONS:
            return f"there are {MAX_CONNECTIONS} already"
        return None

    def callback_new_connection(self) -> ServerRequestHandler:
        """Handle a connection by our rules."""
        return _Handler(self, self.trace_packet, self.trace_pdu, self.trace_connect)


def _keep_alive(connection: socket.socket) -> None:
    """Find out about a PLC that is gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", KEEPALIVE_S), ("TCP_KEEPINTVL", KEEPALIVE_S)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    if hasattr(socket, "TCP_KEEPCNT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
