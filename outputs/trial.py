"""Reaches a receiver without telling it anything."""

from __future__ import annotations

from sqlalchemy import Engine

from db.clock import database_now
from db.outbox.cursors import cursors
from db.session import reading
from linewatch.errors import ConfigurationError
from outputs.errors import ReceiverAwayError
from outputs.kinds import open_driver
from outputs.options import Place, ReceiverOptions


def tried(engine: Engine, options: ReceiverOptions, place: Place) -> tuple[bool, str]:
    """Whether a receiver is there, and a sentence about it.

    A dispatcher that tells it tries it every few seconds; a second connection would put the first
    one out, or say of a line that runs that it is offline.
    """
    name = f"{place.line}/{options.name}"
    with reading(engine) as connection:
        now = database_now(connection)
        for cursor, _ in cursors(connection):
            mine = (cursor.line, cursor.receiver) == (place.line, options.name)
            if mine and cursor.lease_until is not None and cursor.lease_until > now:
                words = cursor.problem or "it takes what it is told"
                return cursor.away_since is None, f"{name}: `outputs run` has it; {words}"
    try:
        driver = open_driver(options, place)
        try:
            return True, f"{name}: {driver.probe()}"
        finally:
            driver.close()
    except (ReceiverAwayError, ConfigurationError) as error:
        return False, f"{name}: {error}"
