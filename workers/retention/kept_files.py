"""The picture files that a purge must leave: those that a kept inspection is of, however spelt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from db.retention import files
from db.retention.policy import UNREGISTERED
from vision.removal import Files, spellings

# A label is dated by the clock of whoever gave it.
_CLOCKS_APART = timedelta(hours=1)


class KeptFiles:
    """Looks up what stands in the way of deleting files.

    What people kept (labels, golden sets, pictures that were sent again) is resolved once, all of
    it, and what is new of it before each batch: no other name for a file escapes. What is merely
    not old enough is far more, so it is looked up by the usual spellings and by the bytes' hash.

    Args:
        engine: the database.
        ends: of each product with a limit for pictures, when it is over; '' of unregistered ones.
        registered: every registered product.
    """

    def __init__(
        self, engine: Engine, ends: Mapping[str, datetime], registered: Collection[str]
    ) -> None:
        self._engine = engine
        self._ends = ends
        self._registered = registered
        self._files = Files()
        self._since: datetime | None = None

    def kept_beside(self, batch: Sequence[files.OldPicture]) -> Files:
        """All the files that must stay while `batch` is deleted.

        Raises:
            OSError: a file cannot be looked at; try again later.
        """
        now = datetime.now(UTC)
        for uri in files.kept_uris(self._engine, self._since):
            self._files.add(uri)
        self._since = now - _CLOCKS_APART
        uris = {name for one in batch if one.uri is not None for name in spellings(one.uri)}
        digests = {one.sha256 for one in batch if one.uri is not None and one.sha256 is not None}
        for other in files.sharing(self._engine, uris, digests):
            if other.kept or self._young(other):
                self._files.add(other.uri)
        return self._files

    def _young(self, other: files.Sharing) -> bool:
        product = other.product if other.product in self._registered else UNREGISTERED
        end = self._ends.get(product or UNREGISTERED)
        return end is None or other.decided_at >= end
