"""The spool as the sender sees it: what is to be sent, what was, and the receipts that clear it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.contract import Receipt
from producer.reserve import Reserve
from producer.spool_file import SpoolFile

MAX_RESEND_WAIT_S = 3600.0
_RECEIPTS_KEPT = 100_000
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
        with self.write() as db:
            db.executemany(
                "UPDATE pictures SET state = 'sent', sent_at = ?, due_at = ?, attempts = ?"
                " WHERE seq = ?",
                rows,
            )

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

        The receipt of a picture that is not held (its second, after a resend) changes nothing.
        """
        copies = []
        cleared = 0
        with self.write() as db:
            for receipt in receipts:
                row = db.execute(
                    "SELECT seq, copy FROM pictures WHERE id = ?", (str(receipt.id),)
                ).fetchone()
                if row is None:
                    continue
                db.execute("DELETE FROM pictures WHERE seq = ?", (row[0],))
                db.execute(
                    "INSERT INTO receipts (receipt) VALUES (?)",
                    (receipt.model_dump_json(exclude_none=True),),
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
        """The disk is full: give the log's room back, so that receipts can clear pictures.

        Folding the log into the file may need a few pages first, which the reserve holds. It is
        taken again at once if that freed enough, or else by the sender once there is room.
        """
        self.reserve.let_go()
        with self.read() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.reserve.keep()

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
