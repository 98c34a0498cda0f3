"""A real HTTP server that takes webhooks, and answers as the test says."""

from __future__ import annotations

import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any


class WebhookServer:
    """`answer` is a status, or what is written in an answer's place; None: it hangs."""

    def __init__(self, port: int = 0, certificate: Path | None = None) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: int | bytes | None = 204
        self._released = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}/verdicts"
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def results(self) -> list[dict[str, Any]]:
        """What was taken, in order."""
        return [one for _, body in list(self.requests) for one in json.loads(body)["results"]]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = server.answer
                if answer is None:
                    server._released.wait(30)
                    self.close_connection = True
                    return
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                if 200 <= answer < 300:
                    server.requests.append((dict(self.headers), body))
                self.send_response(answer)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler
