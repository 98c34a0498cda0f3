"""Serves the console, in this process."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Sequence

import uvicorn

from console.app import create_app
from console.listening import Listening
from console.site import Site
from console.words import Words
from db.session import engine_for
from linewatch.settings import Settings

_UNSAFE = "This console can be reached without encryption: passwords and sessions can be read."

# A page asks the database some dozens of times. After each answer it waits for the interpreter,
# which a thread that computes keeps for this long: with Python's 5 ms that adds up.
_SWITCH_INTERVAL_S = 0.0005

# Longer than people look at a page, so that the next one needs no new connection, nor handshake.
_KEEP_ALIVE_S = 75


def serve(settings: Settings, listening: Listening, sockets: Sequence[socket.socket]) -> None:
    """Serve until interrupted.

    Args:
        settings: of the plant.
        listening: what encrypts.
        sockets: bound ones.
    """
    words = Words(settings.plant_timezone)
    site = Site(settings, engine_for(settings.sql_url), words, listening.secure)
    safe = listening.secure or listening.local
    app = create_app(site, banner="" if safe else _UNSAFE)
    words.load()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()  # all that is there by now stays, and need not be gone through again and again
    files = listening.certificate
    config = uvicorn.Config(
        app,
        ssl_certfile=files[0] if files else None,
        ssl_keyfile=files[1] if files else None,
        proxy_headers=listening.trusted_proxy is not None,
        forwarded_allow_ips=listening.trusted_proxy,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    server = uvicorn.Server(config)
    site.intake.resume()
    try:
        server.run(list(sockets))
    finally:
        site.intake.close()
    if not server.started:
        sys.exit(1)  # uvicorn has said why
