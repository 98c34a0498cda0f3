"""docs/promise.md shows what the long fault runs found, and they found no picture lost."""

from __future__ import annotations

import pytest

from benchmarks.faults_table import PAGE, results, table, updated

# Each line of the proof: words that a fault's name holds, and how often it must have been provoked.
PROOF = {
    "worker SIGKILL at a random moment": 200,
    "worker killed when received": 1,
    "worker killed when decoded": 1,
    "worker killed when inferred": 1,
    "worker killed when committed, before the receipt": 1,
    "worker killed after the receipt, before the acknowledgement": 1,
    "worker SIGSTOP past the visibility timeout": 1,
    "worker SIGTERM under load": 1,
    "Redis restart, AOF always": 30,
    "Redis restart, AOF everysec": 30,
    "Redis restart, no persistence": 30,
    "Redis connections half-open": 1,
    "Redis out of memory": 1,
    "PostgreSQL stopped for 60 s": 10,
    "PostgreSQL deadlock": 1,
    "SQLite locked by another process": 1,
    "producer killed before the spool row": 1,
    "producer killed after the row, before submit returns": 1,
    "producer killed after the row, before the publish": 1,
    "producer killed after the publish": 1,
    "producer killed after the receipt was read": 1,
    "producer killed after the spool forgot": 1,
    "spool on a full disk": 1,
    "broker away for a simulated hour, then 20000 pictures": 1,
    "two beats": 1,
    "two retrains": 1,
    "model swapped under load": 1,
    "promotion of a spoiled model": 5,
    "bad pictures, paths and fields": 250,
    "bad messages": 50,
    "bad envelopes": 10,
    "hypothesis on the message contract": 1000,
    "atheris on the decoder": 1000,
}


def test_the_table_is_current() -> None:
    page = PAGE.read_text()
    assert updated(page) == page, "run `python -m benchmarks.faults_table --update`"


def test_a_row_is_a_line() -> None:
    row = {"fault": "f", "database": "sqlite", "runs": 2000, "accepted": 3, "lost": 0}
    lines = table([{**row, "duplicated": 0, "recover_s": None}]).splitlines()
    assert lines[-1] == "| f | sqlite | 2,000 | 3 | 0 | 0 | – |"


@pytest.mark.parametrize("fault", PROOF)
def test_each_line_of_the_proof_was_run(fault: str) -> None:
    runs = sum(row["runs"] for row in results() if row["fault"].startswith(fault))
    assert runs >= PROOF[fault]


def test_no_picture_was_lost_or_decided_twice() -> None:
    broken = [row for row in results() if row["lost"] or row["duplicated"]]
    assert broken == []


def test_each_row_names_the_commit_that_ran() -> None:
    unnamed = [row["fault"] for row in results() if not row.get("commit", "").isalnum()]
    assert unnamed == []
