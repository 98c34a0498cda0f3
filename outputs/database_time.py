"""What time it is by the database's clock, without a question at each verdict."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import Engine

from db.clock import database_now
from db.session import reading

ASK_S = 5.0


class DatabaseTime:
    """Asks every few seconds and counts on by this machine's clock; any thread may ask it.

    It is wrong by half of what the question took, and what clocks drift in five seconds.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked: tuple[float, datetime] | None = None

    def now(self) -> datetime:
        """In UTC.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it had to ask, and the database does not answer.
        """
        asked = self._asked
        if asked is None or not 0 <= time.monotonic() - asked[0] < ASK_S:
            self._asked = asked = self._answer()
        return asked[1] + timedelta(seconds=time.monotonic() - asked[0])

    def _answer(self) -> tuple[float, datetime]:
        with reading(self._engine) as connection:
            database_now(connection)  # what it takes to connect is not in the question
            began = time.monotonic()
            now = database_now(connection)
            return (began + time.monotonic()) / 2, now
