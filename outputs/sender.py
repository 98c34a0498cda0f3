"""Tells one receiver, in a thread of its own: one that hangs holds no other."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.outbox.bell import Bell
from db.outbox.cursors import Cursor
from linewatch.errors import LinewatchError
from outputs.absence import Absence
from outputs.backoff import backoff_s
from outputs.camera_time import CameraTime
from outputs.database_time import DatabaseTime
from outputs.drivers.driver import Counting, Driver
from outputs.errors import ReceiverAwayError
from outputs.kinds import open_driver
from outputs.options import Place, ReceiverOptions
from outputs.owner import Owner
from outputs.position import Position
from outputs.stoppable_thread import StoppableThread
from outputs.telling import Line, Telling

log = logging.getLogger(__name__)

IDLE_S = 1.0  # how often somebody who hears nothing looks
PROBE_S = 10.0
DATABASE_WAIT_S = 1.0


class Sender(StoppableThread):
    """One receiver of one line, from its cursor on.

    The driver is open only while this dispatcher has the lease: two of them at one PLC or broker
    would push each other out.
    """

    def __init__(
        self,
        engine: Engine,
        bell: Bell,
        owner: Owner,
        clock: DatabaseTime,
        place: Place,
        options: ReceiverOptions,
        deadline_s: float | None,
        cameras: Callable[[], CameraTime] = CameraTime,
    ) -> None:
        self._bell, self._place, self._options = bell, place, options
        deadline = None if deadline_s is None else timedelta(seconds=deadline_s)
        line = Line(place.line, place.site, deadline)
        self._position = Position(engine, owner, clock, line, options, cameras)
        self.name = f"{place.line}/{options.name}"
        self._driver: Driver | None = None
        self._probed_at = 0.0
        self._absence = Absence(engine, place.line, options)
        self._failures = 0
        super().__init__(f"output-{self.name}")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except SQLAlchemyError as error:
                self._position.forget()
                log.warning("%s: the database does not answer: %s", self.name, _short(error))
                self._stopping.wait(DATABASE_WAIT_S)
            except LinewatchError as error:
                self._away(error)
            except Exception as error:  # a driver's mistake must not end the thread in silence
                log.exception("%s: %s", self.name, error)
                self._close()  # and begin anew
                self._away(ReceiverAwayError(f"{type(error).__name__}: {error}"))
        self._close()
        self._position.forget()

    def _turn(self) -> None:
        count = self._bell.count
        cursor = self._position.mine()
        if cursor is None:
            self._close()
            self._stopping.wait(IDLE_S)
            return
        driver = self._open()
        batch = self._position.next_batch(cursor, driver.batch)
        if batch.reached == cursor.told:
            self._probe(driver)
            self._position.note_figures(self._own_figures())
            self._bell.wait(count, IDLE_S)
            return
        if batch.lost:
            log.error(
                "%s: %d results were purged before the receiver came back; LINEWATCH_"
                "RETENTION_OUTBOX_DAYS says how long they are kept",
                self.name,
                batch.lost,
            )
        self._tell(driver, cursor, batch.tellings, batch.reached)
        self._position.note_figures(self._own_figures())

    def _open(self) -> Driver:
        if self._driver is None:
            self._driver = open_driver(self._options, self._place)
            self._probed_at = 0.0
        return self._driver

    def _close(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                driver.close()
            except Exception:
                log.exception("%s: its driver did not close", self.name)

    def _probe(self, driver: Driver) -> None:
        if time.monotonic() - self._probed_at < PROBE_S and self._probed_at:
            return
        driver.probe()
        self._probed_at = time.monotonic()
        self._is_there()

    def _tell(
        self, driver: Driver, cursor: Cursor, tellings: Sequence[Telling], reached: int
    ) -> None:
        """Deliver, then move the cursor behind what the receiver has for good."""
        away: ReceiverAwayError | None = None
        if tellings:
            try:
                driver.deliver([one.result for one in tellings])
                self._is_there()
            except ReceiverAwayError as error:
                away, tellings = error, tellings[: error.delivered]
                reached = tellings[-1].result.sequence if tellings else cursor.told
        if reached > cursor.told:
            self._position.confirm(cursor, tellings, reached)
        if away is not None:
            raise away

    def _own_figures(self) -> Mapping[str, int]:
        return self._driver.figures() if isinstance(self._driver, Counting) else {}

    def _away(self, error: LinewatchError) -> None:
        self._failures += 1
        self._absence.failed(error)
        self._stopping.wait(backoff_s(self._failures, random.random()))  # noqa: S311

    def _is_there(self) -> None:
        self._failures = 0
        self._absence.over()


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]
