"""How far apart commits are, and what receipts say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from db.inspections.records import Outcome
from producer.contract import Reason, Verdict
from workers.pipeline.committer import LONGEST_APART_S, SHARE, not_before, receipt_for


def test_commits_take_a_share_of_the_time_at_most() -> None:
    took = SHARE * LONGEST_APART_S / 3
    assert not_before(10.0, 10.0 + took) == pytest.approx(10.0 + took / SHARE)


def test_rows_wait_no_longer_than_nobody_notices() -> None:
    assert not_before(10.0, 10.0 + LONGEST_APART_S / 2) == pytest.approx(10.0 + LONGEST_APART_S)


def test_after_a_slow_commit_the_next_follows_at_once() -> None:
    assert not_before(10.0, 11.0) <= 11.0


@pytest.mark.parametrize(
    ("reason", "said"),
    [(Reason.DAMAGED, Reason.CORRUPT), (Reason.NOVEL, Reason.NOVEL), (None, None)],
)
def test_a_receipt_says_only_what_cameras_of_0_1_0_can_read(
    reason: Reason | None, said: Reason | None
) -> None:
    outcome = Outcome(Verdict.REVIEW, "bent", 0.9, reason, "cable-1", datetime.now(UTC))
    receipt = receipt_for(uuid4(), outcome)
    assert receipt.reason is reason
    assert json.loads(receipt.written()).get("reason") == said
