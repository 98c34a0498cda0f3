"""Reads the receipts that came for a spool, from any process that has it open."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from producer.contract import Receipt
from producer.spool_file import SpoolFile

log = logging.getLogger(__name__)


class KeptReceipt(Receipt):
    """A receipt as the spool keeps it, with what the spool knew of its picture.

    Args:
        path: the file that was handed over: a path, or a file:// URI if it is not UTF-8.
        part: the part's serial number.
        late: whether `on_deadline` was told of its part before it came.
    """

    path: str | None = None
    part: str | None = None
    late: bool = False


def kept_json(receipt: Receipt, image: str, source: bytes | None) -> str:
    """A receipt as the spool keeps it.

    Args:
        receipt: what the worker said.
        image: the picture's ImageRef, as JSON.
        source: the file that was watched; without it the ImageRef's own.
    """
    said = json.loads(image)
    path = said["uri"] if source is None else printable(Path(os.fsdecode(source)))
    fields = receipt.model_dump(mode="json", exclude_none=True)
    return json.dumps({**fields, "path": path, "part": said.get("part")}, ensure_ascii=False)


def printable(path: Path) -> str:
    """The path, or a file:// URI where its name is not UTF-8 and so cannot be written as text."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return text


class Inbox:
    """The receipts since this object was made, in the order in which they came."""

    def __init__(self, spool: SpoolFile) -> None:
        self._spool = spool
        with spool.read() as db:
            self._last = int(db.execute("SELECT coalesce(max(seq), 0) FROM receipts").fetchone()[0])

    def new(self, limit: int = 1000) -> list[KeptReceipt]:
        """What came since the last call, at most `limit`."""
        with self._spool.read() as db:
            rows = db.execute(
                "SELECT seq, receipt FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?",
                (self._last, limit),
            ).fetchall()
        if rows:
            self._last = rows[-1][0]
        return _read(row[1] for row in rows)


def kept_receipts(spool: SpoolFile, ids: frozenset[UUID]) -> list[KeptReceipt]:
    """The receipts that the spool still keeps, oldest first: of these pictures, or of all."""
    with spool.read() as db:
        rows = db.execute("SELECT receipt FROM receipts ORDER BY seq").fetchall()
    return [one for one in _read(row[0] for row in rows) if not ids or one.id in ids]


def _read(texts: Iterable[str]) -> list[KeptReceipt]:
    """The receipts, but for those of a later version, which may drain a spool that others read."""
    found = []
    for text in texts:
        try:
            found.append(KeptReceipt.model_validate_json(text))
        except ValidationError as error:
            log.error(
                "a receipt in the spool cannot be read and is skipped: %.200r: %s", text, error
            )
    return found
