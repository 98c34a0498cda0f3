"""The worker's small web server.

`/metrics` for Prometheus, `/healthz` for whoever restarts it, `/readyz` for whoever counts on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

log = logging.getLogger(__name__)


class MetricsServer:
    """Serves a registry and a health answer from a daemon thread.

    Args:
        registry: what `/metrics` shows.
        problem: what is wrong, or None; `/healthz` answers 503 and says it, or 200.
        unready: the same for `/readyz`: a worker that may live on, and takes nothing.
        address, port: where to listen. Nobody is asked who he is: keep it on the loopback
            address, or behind a network policy.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        problem: Callable[[], str | None],
        unready: Callable[[], str | None],
        address: str,
        port: int,
    ) -> None:
        checks = {"/healthz": ("healthy", problem), "/readyz": ("ready", unready)}
        self._server = ThreadingHTTPServer((address, port), _handler(registry, checks))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        log.info("metrics at %s/metrics", self.url)

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(
    registry: CollectorRegistry, checks: Mapping[str, tuple[str, Callable[[], str | None]]]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "linewatch"
        sys_version = ""
        timeout = 10  # seconds a client may take to say what it wants

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path == "/metrics":
                self._answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE_LATEST)
            elif path in checks:
                well, check = checks[path]
                found = check()
                status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
                self._answer(status, f"{found or well}\n".encode(), "text/plain")
            else:
                advice = b"/metrics, /healthz or /readyz\n"
                self._answer(HTTPStatus.NOT_FOUND, advice, "text/plain")

        def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a scrape every few seconds is no news."""

    return Handler
