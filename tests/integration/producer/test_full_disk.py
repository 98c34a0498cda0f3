"""A spool that filled its disk is cleared by receipts, however many come at once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from linewatch.errors import SpoolError
from producer.contract import Receipt, Verdict
from producer.outbox import Outbox
from producer.spool import Spool
from producer.submission import Station, Submission, to_entry
from tests.acceptance.faults.small_disk import small_disk

STATION = Station("line-1", "cam-1", "cable")


def fill(spool: Spool, picture: Path) -> list[UUID]:
    """Put pictures into the spool until its disk is full."""
    accepted: list[UUID] = []
    while True:
        entry = to_entry(Submission(path=picture), STATION, None, None, 1024)
        try:
            spool.add([entry])
        except SpoolError:
            return accepted
        accepted.append(UUID(entry.id))


def receipts(ids: list[UUID]) -> list[Receipt]:
    return [
        Receipt(id=id_, verdict=Verdict.PASS, decided_at=datetime.now(UTC), confidence=0.5)
        for id_ in ids
    ]


@pytest.mark.parametrize("megabytes", [2, 8])
def test_receipts_clear_a_spool_that_filled_its_disk(
    tmp_path: Path, megabytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """In one go and within the reserve, though a larger spool's changes are larger than it."""
    caplog.set_level(logging.ERROR, "producer")  # thousands of warnings say how full it is
    picture = tmp_path / "part.png"
    picture.write_bytes(b"part")
    with small_disk(tmp_path / "spool", megabytes):
        path = tmp_path / "spool" / "line-1@cam-1.db"
        spool, outbox = Spool(path), Outbox(path)
        outbox.reserve.keep()
        accepted = fill(spool, picture)
        assert accepted
        shuffled = sorted(accepted, key=lambda id_: id_.int & 0xFFFF)  # as workers answer
        assert outbox.clear(receipts(shuffled)) == len(accepted)
        assert spool.count() == 0
        assert fill(spool, picture), "there is room again"
        outbox.close()
        spool.close()
