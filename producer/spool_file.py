"""The SQLite file of a spool: opening it, its transactions, and who it is.

`synchronous=FULL` (`spool_sync=full`) makes each accepted picture survive a power cut: the
write-ahead log is synced before `submit` returns. `NORMAL` survives the death of the process but
may forget the last pictures in a power cut. What the sender writes (sent, receipted) is always
`NORMAL`: forgetting it costs a resend, never a picture.
"""

from __future__ import annotations

import re
import secrets
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from linewatch.errors import SpoolError
from linewatch.folder_sync import sync_folder
from linewatch.private_files import make_folder
from linewatch.sqlite_wal import use_wal

Sync = Literal["full", "normal"]

_SCHEMA_VERSION = "1"
_BUSY_TIMEOUT_S = 10.0  # longest wait for another process's write
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_TRUNCATE_BYTES = 32 * 1024 * 1024


class SpoolFile:
    """One connection to a spool, safe to share between the threads of one process.

    Raises:
        SpoolError: the file cannot be opened or is not a spool of this version.
    """

    def __init__(self, path: Path, sync: Sync = "full") -> None:
        self.path = path.absolute()
        self._lock = threading.RLock()
        try:
            make_folder(self.path.parent)
            self._db = self._open(sync)
            with self.write() as db:
                self.producer_id = _identity(db)
        except (OSError, sqlite3.Error) as error:
            raise SpoolError(
                f"the spool {self.path} cannot be opened: {error}; see that its folder can be "
                "written to, or set LINEWATCH_SPOOL_DIR to another"
            ) from error
        version = self._meta("version")
        if version != _SCHEMA_VERSION:
            raise SpoolError(
                f"the spool {self.path} has version {version}, this program reads "
                f"{_SCHEMA_VERSION}; empty it with the program that wrote it"
            )

    @property
    def pictures_folder(self) -> Path:
        """Where the spool's own copies of pictures lie."""
        return self.path.with_suffix(".pictures")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block is kept, or none of it."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, alone with it."""
        with self._lock:
            yield self._db

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file once it is large.

        Only the sender does this, outside `submit`. PASSIVE holds up no writer, but a busy one
        keeps it from starting the log anew; TRUNCATE then does, and the writer waits for the rest.
        """
        log = self.path.with_name(self.path.name + "-wal")
        size = log.stat().st_size if log.exists() else 0
        with self._lock:
            if size > _CHECKPOINT_BYTES:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if size > _TRUNCATE_BYTES:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def _open(self, sync: Sync) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        use_wal(db, _BUSY_TIMEOUT_S)
        db.execute("PRAGMA synchronous = FULL" if sync == "full" else "PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        newest = "SELECT 1 FROM sqlite_master WHERE name = 'ledger_contents'"
        if not db.execute(newest).fetchone():
            schema = Path(__file__).with_name("spool.sql").read_text(encoding="utf-8")
            db.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")
            sync_folder(self.path.parent)
        return db

    def _meta(self, key: str) -> str | None:
        with self.read() as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None


def _identity(db: sqlite3.Connection) -> str:
    """The producer id that names the receipts list: made once, kept with the spool."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:64].strip("-") or "camera"
    db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (_SCHEMA_VERSION,))
    db.execute(
        "INSERT OR IGNORE INTO meta VALUES ('producer', ?)", (f"{host}-{secrets.token_hex(8)}",)
    )
    return str(db.execute("SELECT value FROM meta WHERE key = 'producer'").fetchone()[0])
