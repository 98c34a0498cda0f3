"""People who are told: an SMTP server and a web server on this machine that keep what they get."""

from __future__ import annotations

import email
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


class Mailbox:
    """Mails that came, and the address to which they go."""

    def __init__(self, port: int) -> None:
        self.mails: list[Message] = []
        self.url = f"mailto://127.0.0.1:{port}?from=linewatch@plant.example&to=ida@plant.example"

    def texts(self) -> list[str]:
        """Each mail's plain text."""
        found = []
        for mail in self.mails:
            plain = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
            parts = plain or [part for part in mail.walk() if not part.is_multipart()]
            found.append(cast(bytes, parts[0].get_payload(decode=True)).decode())
        return found


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs."""

    def handle(self) -> None:
        self._say("220 test")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self._say("354 go on")
                self._mail()
            elif word == b"QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _mail(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        server = cast(Any, self.server)
        server.mailbox.mails.append(email.message_from_bytes(b"".join(lines), policy=default))

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def smtp_server() -> Iterator[Mailbox]:
    """A mail server."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.daemon_threads = True
        mailbox = cast(Any, server).mailbox = Mailbox(server.server_address[1])
        with _running(server):
            yield mailbox


class Hook:
    """Webhook calls that came; `refuses`: it answers 500."""

    def __init__(self, port: int) -> None:
        self.calls: list[dict[str, Any]] = []
        self.refuses = False
        self.url = f"json://127.0.0.1:{port}/"


class _Http(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = cast(Any, self.server).hook
        body = self.rfile.read(int(self.headers["content-length"]))
        if not hook.refuses:
            hook.calls.append(json.loads(body))
        self.send_response(500 if hook.refuses else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def web_server() -> Iterator[Hook]:
    """A server of webhooks."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Http) as server:
        hook = cast(Any, server).hook = Hook(server.server_address[1])
        with _running(server):
            yield hook


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(5)
