"""All receivers of a file of outputs, each told by a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.outbox import cursors
from db.outbox.bell import Bell
from db.outbox.cursors import CLOCK
from db.session import transaction
from outputs.camera_time import CameraTime
from outputs.database_time import DatabaseTime
from outputs.file import OutputsFile
from outputs.line_clock import LineClock
from outputs.owner import Owner
from outputs.sender import Sender

log = logging.getLogger(__name__)

RENEW_S = 1.0
STOP_S = 10.0


class Dispatcher:
    """Tells the lines, from `start` to `stop`.

    Args:
        cameras: what is known of the cameras' clocks when it is called.
    """

    def __init__(
        self,
        engine: Engine,
        file: OutputsFile,
        cameras: Callable[[], CameraTime] = CameraTime,
    ) -> None:
        self._engine, self._cameras = engine, cameras
        self._owner = Owner()
        self._bell = Bell(engine)
        self._time = DatabaseTime(engine)
        self._parts: list[Sender | LineClock] = []
        self._file = file
        self._stopping = Event()
        self._renewing = Thread(target=self._renew, name="leases", daemon=True)

    def start(self) -> None:
        """Register the lines, and begin.

        Raises:
            sqlalchemy.exc.DBAPIError: the database is away.
        """
        for name, line in sorted(self._file.lines.items()):
            receivers = [receiver.name for receiver in line.receivers]
            with transaction(self._engine) as connection:
                cursors.register(connection, name, [CLOCK, *receivers])
            shared = self._engine, self._bell, self._owner, self._time
            when = line.deadline_s, self._cameras
            for receiver in line.receivers:
                self._parts.append(Sender(*shared, self._file.place(name), receiver, *when))
            if any(receiver.level == "part" for receiver in line.receivers):
                self._parts.append(LineClock(*shared, name, *when))
        self._bell.start()
        self._renewing.start()
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """End: what is being told is told, receivers are left in their safe state."""
        for part in self._parts:
            part.ask_to_stop()
        self._bell.stop()
        deadline = time.monotonic() + STOP_S
        hanging = [p for p in self._parts if not p.join(max(0.1, deadline - time.monotonic()))]
        self._stopping.set()  # its leases are renewed until now: nobody else tells what it does
        if hanging:
            log.warning("%d receivers hang; they end with this process", len(hanging))
        try:
            with transaction(self._engine) as connection:
                cursors.release(connection, self._owner.name)
        except SQLAlchemyError as error:
            log.warning("leases are not given back, and run out: %s", error)

    def _renew(self) -> None:
        """A receiver that is slow to confirm keeps its lease as long as this process lives."""
        while not self._stopping.wait(RENEW_S):
            try:
                with transaction(self._engine) as connection:
                    cursors.renew(connection, self._owner.name)
            except SQLAlchemyError as error:
                log.warning("leases are not renewed: %s", error)
            except Exception:  # or all of them would run out
                log.exception("leases are not renewed")
