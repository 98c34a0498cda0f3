"""What follows a cursor, while somebody commits between two statements of the reader."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from outputs.reading import next_batch
from outputs.telling import Line
from tests.support.interleaving import meanwhile
from tests.support.outbox import committed, now_record, registered


def test_what_is_committed_while_it_looks_is_not_taken_for_purged(engine: Engine) -> None:
    """The entries were none, the last number is 1: the verdict came in between."""
    registered(engine, "L1")
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        with meanwhile(engine, "FROM outbox_lines", lambda: committed(engine, now_record())):
            batch = next_batch(connection, Line("L1"), "gate", "part", 0, 10, datetime.now(UTC))
    # SQLite's reader sees one moment, PostgreSQL's another with each statement.
    assert (batch.reached, batch.lost) == (len(batch.tellings), 0)
