"""A TCP proxy that can be cut or fall silent: a server at the far end of a broken cable."""

from __future__ import annotations

import contextlib
import socket
from threading import Event, Lock, Thread


class Proxy:
    """Forwards a port of its own to a server. `cut` resets every connection and refuses new ones.

    `silence` drops all that is sent on the connections there are, their ends included, so that
    either side believes in a peer that is gone (half-open); new ones work.

    Args:
        host, port: the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._lock = Lock()
        self._cut = Event()

    def __enter__(self) -> Proxy:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._silent.clear()
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """Break every connection, and each that comes until `mend`."""
        self._cut.set()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def silence(self) -> int:
        """Carry nothing more on the connections that are open now; returns how many."""
        with self._lock:
            self._silent |= self._open
            return len(self._open) // 2

    def mend(self) -> None:
        """Let connections through again."""
        self._cut.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._cut.is_set():
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                with self._lock:
                    self._open |= {client, server}
                for source, target in ((client, server), (server, client)):
                    Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source not in self._silent:
                    target.sendall(data)
        if source in self._silent:  # the other side is not told
            return
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}
