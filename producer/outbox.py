"""The spool as the sender sees it: what is to be sent, what was, and the receipts that clear it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from producer.contract import Receipt
from producer.disk_reserve import Reserve, is_disk_full
from producer.inbox import kept_json
from producer.spool_file import SpoolFile

_HELD = """
    SELECT seq, copy, image, (SELECT path FROM handed_over WHERE picture = pictures.id)
    FROM pictures WHERE id = ?
"""
MAX_RESEND_WAIT_S = 3600.0
_RECEIPTS_KEPT = 100_000
T = TypeVar("T")
_ORPHAN_AGE_S = 3600.0  # a copy so old without a row is left from a crash, not on its way in


@dataclass(frozen=True, slots=True)
class QueuedPicture:
    """A picture that waits to be sent; `attempts` counts how often it was."""

    seq: int
    line: str
    product: str
    burst: str | None
    image: dict[str, Any]
    attempts: int


class Outbox(SpoolFile):
    """A second connection to the spool. Its commits need no sync: losing one costs a resend."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, sync="normal")
        self.reserve = Reserve(self.path)

    def queued(self, limit: int, *, newest_first: bool = False) -> list[QueuedPicture]:
        """The oldest (or newest) pictures to be sent, in the order of sending."""
        query = (
            "SELECT seq, line, product, burst, image, attempts FROM pictures"
            " WHERE state = 'queued' ORDER BY seq"
        )
        with self.read() as db:
            way = " DESC LIMIT ?" if newest_first else " LIMIT ?"
            rows = db.execute(query + way, (limit,)).fetchall()
        return [
            QueuedPicture(seq, line, product, burst, json.loads(image), attempts)
            for seq, line, product, burst, image, attempts in rows
        ]

    def mark_sent(self, pictures: Sequence[QueuedPicture], receipt_timeout_s: float) -> None:
        """Note that the broker has them, and when to send them again if no receipt comes."""
        now = time.time()
        rows = [
            (now, now + resend_wait_s(receipt_timeout_s, p.attempts + 1), p.attempts + 1, p.seq)
            for p in pictures
        ]

        def mark() -> None:
            with self.write() as db:
                db.executemany(
                    "UPDATE pictures SET state = 'sent', sent_at = ?, due_at = ?, attempts = ?"
                    " WHERE seq = ?",
                    rows,
                )

        self._within_reserve(mark)

    def has_due(self) -> bool:
        """Whether a picture was sent and its receipt is overdue."""
        now = time.time()
        with self.read() as db:
            found = db.execute(
                "SELECT 1 FROM pictures"
                " WHERE state = 'sent' AND (due_at <= ? OR sent_at > ?) LIMIT 1",
                (now, now + 1),
            ).fetchone()
        return found is not None

    def requeue_due(self, patience_s: float = 0.0, sent_before: float | None = None) -> int:
        """Queue again what is overdue by more than `patience_s`; returns how many.

        With `sent_before` (seconds since the epoch), only what was sent before that moment.

        A picture "sent in the future" is overdue too: the clock was set back since.
        """
        now = time.time()
        with self.write() as db:
            return db.execute(
                "UPDATE pictures SET state = 'queued'"
                " WHERE state = 'sent' AND ((due_at <= ? AND sent_at < ?) OR sent_at > ?)",
                (now - patience_s, now + 2 if sent_before is None else sent_before, now + 1),
            ).rowcount

    def awaits_receipts(self) -> bool:
        """Whether anything was sent and has no receipt."""
        with self.read() as db:
            query = "SELECT 1 FROM pictures WHERE state = 'sent' LIMIT 1"
            return db.execute(query).fetchone() is not None

    def clear(self, receipts: Sequence[Receipt]) -> int:
        """Forget the pictures these receipts are for; returns how many were still held.

        The receipt of a picture that is not held (its second, after a resend) changes nothing. On a
        full disk they are cleared in the reserve, as many at once as it has room for.
        """
        try:
            return self._within_reserve(lambda: self._clear(receipts))
        except sqlite3.Error as error:
            if not is_disk_full(error) or len(receipts) < 2:
                raise
        half = len(receipts) // 2
        return self.clear(receipts[:half]) + self.clear(receipts[half:])

    def _clear(self, receipts: Sequence[Receipt]) -> int:
        copies = []
        cleared = 0
        with self.write() as db:
            for receipt in receipts:
                row = db.execute(_HELD, (str(receipt.id),)).fetchone()
                if row is None:
                    continue
                db.execute("DELETE FROM pictures WHERE seq = ?", (row[0],))
                db.execute(
                    "INSERT INTO receipts (receipt) VALUES (?)",
                    (kept_json(receipt, row[2], row[3]),),
                )
                cleared += 1
                copies += [row[1]] if row[1] else []
            db.execute(
                "DELETE FROM receipts WHERE seq <= (SELECT max(seq) FROM receipts) - ?",
                (_RECEIPTS_KEPT,),
            )
        for name in copies:
            with contextlib.suppress(FileNotFoundError):
                (self.pictures_folder / name).unlink()
        return cleared

    def make_room(self) -> None:
        """The disk is full: give the log's room back, so that receipts can clear pictures."""
        self.reserve.let_go()
        self._fold()
        self.reserve.keep()

    def _within_reserve(self, write: Callable[[], T]) -> T:
        """Do a write; where the disk is full, in the room that the reserve has kept.

        The reserve is taken again only after it: what it held back would else be all the room
        there is, and each next try would fail as the one before.
        """
        try:
            return write()
        except sqlite3.Error as error:
            if not is_disk_full(error):
                raise
        self.reserve.let_go()
        try:
            self._fold()
            return write()
        finally:
            with contextlib.suppress(sqlite3.Error):  # folding may need a few pages itself
                self._fold()
            self.reserve.keep()

    def _fold(self) -> None:
        """Fold the log into the file, and give its room back."""
        with self.read() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def sweep_copies(self) -> None:
        """Remove copies that no picture owns: a crash came between two steps."""
        if not self.pictures_folder.is_dir():
            return
        with self.read() as db:
            owned = {row[0] for row in db.execute("SELECT copy FROM pictures WHERE copy NOT NULL")}
        for copy in self.pictures_folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if copy.name not in owned and time.time() - copy.stat().st_mtime > _ORPHAN_AGE_S:
                    copy.unlink()


def resend_wait_s(receipt_timeout_s: float, attempt: int) -> float:
    """How long the n-th attempt waits for its receipt: doubling, an hour at most."""
    longest = max(receipt_timeout_s, MAX_RESEND_WAIT_S)
    return float(min(longest, receipt_timeout_s * 2.0 ** min(attempt - 1, 20)))
