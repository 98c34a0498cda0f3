"""Flower, made safe to look at: it changes nothing unless told so, and runs nobody else's script.

What a Flower page shows was written by others: workers, and through them whoever may enqueue. And
whoever sees Flower's buttons could stop workers with them.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import flower
from flower import command, urls
from flower.app import Flower
from flower.options import options
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.template import filter_whitespace
from tornado.web import Application, OutputTransform, RequestHandler

from workers.flower.events import plain

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_TABLE = "/tasks/datatable"  # a question too long for GET
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_REFRESH = "{{ autorefresh }}"  # the only thing that Flower writes into a script of its own: 0 or 1
TEMPLATES = Path(flower.__file__).parent / "templates"


def content_security_policy(templates: Path = TEMPLATES) -> str:
    """What a browser may load and run: Flower's own files, and the scripts in its own templates.

    Its tables set widths in style attributes, which is all that is allowed beyond files.
    """
    hashes = " ".join(f"'sha256-{digest}'" for digest in _script_hashes(templates))
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self'; "
        "style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _script_hashes(templates: Path) -> list[str]:
    found = set()
    for path in templates.glob("*.html"):
        for script in _INLINE.findall(filter_whitespace("single", path.read_text("utf-8"))):
            texts = [script.replace(_REFRESH, number) for number in "01"]
            found |= {hashlib.sha256(text.encode()).digest() for text in texts if "{{" not in text}
    return sorted(base64.b64encode(digest).decode() for digest in found)


HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SafeHeaders(OutputTransform):
    """Adds the headers to every answer, whoever gives it: a page, a file, an error."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add them."""
        for name, value in HEADERS.items():
            headers[name] = value
        return status_code, headers, chunk


class Forbidden(RequestHandler):
    """Answers what would change something."""

    def check_xsrf_cookie(self) -> None:
        """Whatever the cookie says, the answer is no."""

    def prepare(self) -> None:
        """Say no, and why."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("Flower only shows here; `linewatch flower --control` lets it change things.")


class Server(Flower):  # type: ignore[misc]
    """Flower's application.

    Args:
        control: let its buttons and its API change workers and tasks.
    """

    def __init__(self, *, control: bool, **settings: Any) -> None:
        self._control = control
        super().__init__(**settings)
        self.add_transform(SafeHeaders)
        received = self.events.on_event
        self.events.on_event = lambda event: received(plain(event))

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Who answers; what does not only read is forbidden, known or not."""
        asks = request.method == "POST" and request.path == self._table
        if self._control or asks or request.method in _READING:
            return super().find_handler(request, **kwargs)
        return Application.get_handler_delegate(self, request, Forbidden)

    @property
    def _table(self) -> str:
        prefix = (self.options.url_prefix or "").strip("/")
        return f"/{prefix}{_TABLE}" if prefix else _TABLE


def serve(*, port: int, address: str, basic_auth: str, columns: str, control: bool) -> None:
    """Run Flower until a signal ends it. Flower's other options are taken from `FLOWER_…`.

    Flower's own command also runs the `flowerconfig.py` of the current folder, whoever put it
    there; this does not.
    """
    from workers.app import application

    app = application()
    command.apply_env_options()
    options.port, options.address, options.tasks_columns = port, address, columns
    options.read_only = not control  # leaves the buttons out of the pages
    if basic_auth:
        options.basic_auth = [basic_auth]
    options.run_parse_callbacks()  # logs
    command.extract_settings()
    command.setup_logging()
    server = Server(control=control, capp=app, options=options, **urls.settings)
    atexit.register(server.stop)
    signal.signal(signal.SIGTERM, _end)
    bound = server.start_http_server()
    command.print_banner(app, "ssl_options" in urls.settings, bound)
    with suppress(KeyboardInterrupt, SystemExit):
        server.start()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
