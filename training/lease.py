"""The lease by which a training run holds its place, see `db.models.runs`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.models import runs
from db.session import transaction
from linewatch.errors import LinewatchError, TrainingError
from model_store.fitting.progress import Progress

log = logging.getLogger(__name__)

REPORT_EVERY_S = 1.0


@contextmanager
def renewed(engine: Engine, run_id: int, lease_s: float, progress: Progress) -> Iterator[None]:
    """Keep the run's lease alive while its body works, and its row up to date.

    Args:
        engine, run_id: the run, whose row says already what `progress` is at.
        lease_s: for how long it is kept each time.
        progress: what the body notes.

    The row says what the run is at no more than `REPORT_EVERY_S` after `progress` does, so that
    whoever computes waits for no database. A run that lost its place is stopped at its next note.
    """
    done = Event()

    def renew() -> None:
        renew_at, written = monotonic() + lease_s / 4, progress.now
        while not done.wait(min(REPORT_EVERY_S, lease_s / 4)):
            now, due = progress.now, monotonic() >= renew_at
            if not due and now == written:
                continue
            try:
                with transaction(engine) as connection:
                    if due:
                        runs.renew(connection, run_id, lease_s)
                    if now != written:
                        runs.report(connection, run_id, *now)
            except TrainingError as error:
                _stop(engine, run_id, progress, error)
                return
            except (LinewatchError, SQLAlchemyError) as error:
                log.warning("lease of run %d not renewed: %s", run_id, error)
            else:
                written = now
                if due:
                    renew_at = monotonic() + lease_s / 4

    thread = Thread(target=renew, name="training-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _stop(engine: Engine, run_id: int, progress: Progress, error: TrainingError) -> None:
    """Stop a run that lost its place; one that ended before its last note was written has not."""
    try:
        run = runs.get(engine, run_id)
    except SQLAlchemyError:
        run = None
    if run is None or run.state != "succeeded":
        progress.stop(error)
        log.warning("lease of run %d not renewed: %s", run_id, error)
