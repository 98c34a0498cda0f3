"""`linewatch outputs run`."""

from __future__ import annotations

import logging
import signal
from threading import Event

from sqlalchemy import Engine

from linewatch.settings import Settings
from outputs.camera_clocks import CameraClocks
from outputs.dispatcher import Dispatcher
from outputs.file import OutputsFile

log = logging.getLogger(__name__)


def run_outputs(settings: Settings, engine: Engine, file: OutputsFile) -> None:
    """Tell the lines until SIGINT or SIGTERM."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    clocks = CameraClocks(settings, engine)
    dispatcher = Dispatcher(engine, file, clocks)
    clocks.start()
    dispatcher.start()
    count = sum(len(line.receivers) for line in file.lines.values())
    log.info("telling %d receivers of %d lines", count, len(file.lines))
    stop.wait()
    clocks.ask_to_stop()
    dispatcher.stop()
