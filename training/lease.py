"""The lease by which a training run holds its place, see `db.models.runs`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.models import runs
from db.session import transaction
from linewatch.errors import LinewatchError

log = logging.getLogger(__name__)


@contextmanager
def renewed(engine: Engine, run_id: int, lease_s: float) -> Iterator[None]:
    """Keep the run's lease alive while its body works."""
    done = Event()

    def renew() -> None:
        while not done.wait(lease_s / 4):
            try:
                with transaction(engine) as connection:
                    runs.renew(connection, run_id, lease_s)
            except (LinewatchError, SQLAlchemyError) as error:
                log.warning("lease of run %d not renewed: %s", run_id, error)

    thread = Thread(target=renew, name="training-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
