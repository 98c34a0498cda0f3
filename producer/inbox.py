"""Reads the receipts that came for a spool, from any process that has it open."""

from __future__ import annotations

from producer.contract import Receipt
from producer.spool_file import SpoolFile


class Inbox:
    """The receipts since this object was made, in the order in which they came."""

    def __init__(self, spool: SpoolFile) -> None:
        self._spool = spool
        with spool.read() as db:
            self._last = int(db.execute("SELECT coalesce(max(seq), 0) FROM receipts").fetchone()[0])

    def new(self, limit: int = 1000) -> list[Receipt]:
        """What came since the last call, at most `limit`."""
        with self._spool.read() as db:
            rows = db.execute(
                "SELECT seq, receipt FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?",
                (self._last, limit),
            ).fetchall()
        if rows:
            self._last = rows[-1][0]
        return [Receipt.model_validate_json(row[1]) for row in rows]
