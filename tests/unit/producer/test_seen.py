"""What was seen at submit, and which files differ from it."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.errors import SubmissionError
from producer.contract import ImageRef, Seen
from producer.contract.seen import BLOCK_BYTES, sampled_sha256
from producer.hashing import look
from producer.ledger import SeenFile
from producer.spool import Spool
from producer.submission import Station, Submission, to_entry

STATION = Station("line-1", "cam-2", "cable")
SECOND = 1_000_000_000


def seen_of(submission: Submission, most_bytes: int = 2**23) -> Seen | None:
    entry = to_entry(submission, STATION, None, None, most_bytes)
    return ImageRef.model_validate_json(entry.image).seen


def test_a_small_file_is_hashed_whole(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "a.png").write_bytes(data)
    seen = seen_of(Submission(tmp_path / "a.png"))
    assert seen == Seen(size=300_000, sha256=hashlib.sha256(data).hexdigest())
    entry = to_entry(Submission(tmp_path / "a.png"), STATION, None, None, 2**23)
    assert '"every"' not in entry.image  # as little as says it


@given(st.integers(1, 40 * BLOCK_BYTES), st.integers(1, 40 * BLOCK_BYTES), st.integers(0, 2**32))
def test_camera_and_worker_agree_on_every_size_and_budget(
    tmp_path_factory: pytest.TempPathFactory, size: int, most_bytes: int, seed: int
) -> None:
    data = Random(seed).randbytes(size)  # drawn by Hypothesis, megabytes take minutes
    path = tmp_path_factory.getbasetemp() / "agree.bmp"
    path.write_bytes(data)
    found = look(path, most_bytes)
    assert found is not None
    assert found.seen.difference(data, 0) is None
    assert (found.seen.every == 1) == (size <= most_bytes)
    for place in (0, size - 1):  # head and tail are always looked at
        other = bytearray(data)
        other[place] ^= 1
        assert found.seen.difference(bytes(other), 0) is not None


def test_a_scratch_in_the_middle_of_a_large_uncompressed_file_is_seen(tmp_path: Path) -> None:
    rows, row = 3000, 4096 + 512  # 14 MB: sampled, with a budget of 8
    data = bytearray(rows * row)
    (tmp_path / "a.bmp").write_bytes(data)
    found = look(tmp_path / "a.bmp", 8 * 2**20)
    assert found is not None
    assert found.seen.every == 2
    for y in range(1500, 1504):  # four rows, three pixels each
        data[y * row + 2000 : y * row + 2003] = b"\xff\xff\xff"
    assert found.seen.difference(bytes(data), 0) is not None


@pytest.mark.parametrize("how", ["missing", "folder", "pipe", "nul", "off"])
def test_what_cannot_be_looked_at_is_accepted_without(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.png"
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "off":
        path.write_bytes(b"x")
    name = f"{path}\0" if how == "nul" else str(path)
    assert seen_of(Submission(name), 0 if how == "off" else 2**20) is None


@pytest.mark.parametrize(
    ("seen", "data", "mtime_ns", "same"),
    [
        # The content decides: copied, touched or mounted elsewhere, it is the same picture.
        ({"sha256": sampled_sha256(b"abc", 1), "mtime_ns": 0, "inode": 1}, b"abc", 10**18, True),
        ({"sha256": sampled_sha256(b"abc", 1), "mtime_ns": 5}, b"abd", 5, False),
        ({}, b"abcd", 0, False),
        ({}, b"xyz", 0, True),  # nobody said more
        # Times are rounded: FAT to 2 s, old NFS to 1 s, NTFS to 100 ns.
        ({"mtime_ns": 7 * SECOND + 999_999_999}, b"xyz", 7 * SECOND, True),
        ({"mtime_ns": 7 * SECOND}, b"xyz", 9 * SECOND, True),
        ({"mtime_ns": 7 * SECOND}, b"xyz", 9 * SECOND + 1, False),
        ({"mtime_ns": 9 * SECOND}, b"xyz", 6 * SECOND, False),
    ],
)
def test_what_is_compared(seen: dict[str, Any], data: bytes, mtime_ns: int, same: bool) -> None:
    found = Seen(size=3, **seen).difference(data, mtime_ns)
    assert (found is None) == same


def test_a_file_that_changed_since_it_was_complete_is_not_accepted(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(b"part A")
    complete = SeenFile.look(path)
    assert seen_of(Submission(path, seen=complete)) is not None
    path.write_bytes(b"part B")
    os.utime(path, ns=(0, complete.mtime_ns + SECOND))
    for copies in (None, tmp_path / "copies"):
        with pytest.raises(SubmissionError, match="was written to while it was handed over"):
            to_entry(Submission(path, seen=complete), STATION, None, copies, 2**20)
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_path_handed_over_again_before_its_receipt_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    path = tmp_path / "image.png"
    path.write_bytes(b"x")
    spool, other = Spool(tmp_path / "s.db"), Spool(tmp_path / "s.db")

    def accept(into: Spool, name: Path, copies: Path | None = None) -> int:
        caplog.clear()
        into.add([to_entry(Submission(name), STATION, None, copies, 2**20)])
        return sum("was handed over again" in r.getMessage() for r in caplog.records)

    assert accept(spool, path) == 0
    assert accept(spool, tmp_path / "other.png") == 0
    assert accept(spool, path) == 1
    assert str(path) in caplog.text
    assert accept(spool, path) == 0  # once a minute
    assert accept(other, path) == 1  # as another program would, after a restart
    copies = tmp_path / "s.pictures"
    assert accept(spool, path, copies) == accept(spool, path, copies) == 0
    with spool.write() as db:
        db.execute("DELETE FROM pictures")  # as receipts do
    fresh = Spool(tmp_path / "s.db")
    assert accept(fresh, path) == 0
    burst = [to_entry(Submission(path), STATION, "b", None, 2**20) for _ in range(2)]
    again = Spool(tmp_path / "t.db")
    caplog.clear()
    again.add(burst)
    assert "was handed over again" in caplog.text
    for file in (spool, other, fresh, again):
        file.close()
