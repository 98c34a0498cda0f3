"""FileReads under way, with a clock that the test moves."""

from __future__ import annotations

import pytest

from workers.pipeline.file_reads import FileReads


def test_only_reads_that_are_under_way_and_old_are_counted() -> None:
    now = [0.0]
    reads = FileReads(lambda: now[0])
    with reads.one():
        assert reads.waiting(1.0) == 0
        now[0] = 2.0
        with reads.one():
            assert reads.waiting(1.0) == 1
            now[0] = 4.0
            assert reads.waiting(1.0) == 2
        assert reads.waiting(1.0) == 1
    assert reads.waiting(0.0) == 0


def test_a_read_that_fails_is_over() -> None:
    reads = FileReads(lambda: 0.0)
    with pytest.raises(OSError, match="stale"), reads.one():
        raise OSError("stale")
    assert reads.waiting(-1.0) == 0
