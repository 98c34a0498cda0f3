"""Cameras, spools and receipts of 0.1.0 beside this version's, from what 0.1.0 wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from producer import submission
from producer.contract import Reason, Receipt, SigningKeys, Verdict, parse_message
from producer.contract.vocabulary import stand_in
from producer.messages import to_task
from producer.outbox import Outbox
from producer.spool import Spool
from producer.submission import Station, Submission, to_entry
from tests.support import version_0_1_0 as old

# The words of 0.1.0's Reason: its cameras skip a receipt with any other, and send for ever.
READABLE = (
    "missing empty not_a_file unreadable outside_root too_large not_an_image corrupt wrong_size "
    "hash_mismatch invalid_fields unknown_product unreadable_message unsupported_version "
    "bad_signature poison no_model uncertain novel not_finite"
)


def test_its_signed_message_is_read() -> None:
    keys = SigningKeys.parse(old.SIGNING_KEYS)
    parsed = parse_message(old.message(), keys, require_signature=True)
    assert [image.part for image in parsed.images] == ["SN1", None]
    assert (parsed.refusals, parsed.unknown) == ((), {})
    assert parsed.images[0].seen is None


def test_its_spool_opens_and_what_was_not_sent_is_sent(tmp_path: Path) -> None:
    old.write_spool(tmp_path / "spool.db")
    spool, outbox = Spool(tmp_path / "spool.db"), Outbox(tmp_path / "spool.db")
    assert spool.producer_id == "pc-0123"
    (waiting,) = outbox.queued(10)
    assert waiting.image["uri"] == "/pictures/2.png"
    outbox.requeue_due()  # long overdue
    assert [p.image["uri"] for p in outbox.queued(10)] == ["/pictures/1.png", "/pictures/2.png"]
    spool.add([to_entry(Submission("/a.png"), Station("line-1", "c", "p"), None, None)])
    assert spool.count() == 3
    with spool.read() as db:  # by which a path that comes again is found among 100,000
        assert db.execute("SELECT 1 FROM sqlite_master WHERE name = 'pictures_uri'").fetchone()
    for file in (spool, outbox):
        file.close()


def test_a_message_without_new_fields_is_byte_for_byte_what_it_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = old.message()
    del theirs["signature"]
    ids = iter(UUID(image["id"]) for image in theirs["images"])
    monkeypatch.setattr(submission, "uuid7", lambda: next(ids))
    made = [
        Submission("/pictures/1.png", "SN1", "L1", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        Submission("/pictures/2.png", captured_at=datetime(2026, 3, 1, 8, 0, 1, tzinfo=UTC)),
    ]
    spool = Spool(tmp_path / "s.db")
    station = Station("line-1", "cam-1", "widget")
    spool.add([to_entry(one, station, None, None, 2**20) for one in made])
    outbox = Outbox(tmp_path / "s.db")
    ours = to_task(outbox.queued(10), "pc-0123").body[0][0]
    ours["enqueued_at"] = theirs["enqueued_at"]
    assert json.dumps(ours) == json.dumps(theirs)
    for file in (spool, outbox):
        file.close()


@pytest.mark.parametrize("reason", [*Reason, Reason("of_a_later_version")])
@pytest.mark.parametrize("verdict", [Verdict.REVIEW, Verdict.REJECTED, Verdict.DEAD_LETTER])
def test_its_cameras_can_read_each_receipt_and_ours_hear_the_exact_reason(
    reason: Reason, verdict: Verdict
) -> None:
    receipt = Receipt(id=uuid4(), verdict=verdict, reason=reason, decided_at=datetime.now(UTC))
    written = receipt.written()
    assert json.loads(written)["reason"] in READABLE.split()
    assert Receipt.model_validate_json(written) == receipt
    assert ("exact_reason" in written) == (reason not in READABLE.split())
    unsaid = {"defect_class", "confidence", "model_version"}
    assert not unsaid & json.loads(written).keys(), "what has no value has no field"


def test_a_receipt_without_a_reason_has_no_field_for_it() -> None:
    receipt = Receipt(id=uuid4(), verdict=Verdict.PASS, decided_at=datetime.now(UTC))
    assert json.loads(receipt.written()).keys() == {"version", "id", "verdict", "decided_at"}


def test_a_reason_that_its_cameras_do_not_know_is_the_nearest_of_the_verdict() -> None:
    unknown = Reason("of_a_later_version")
    near = {
        verdict: json.loads(
            Receipt(
                id=uuid4(), verdict=verdict, reason=unknown, decided_at=datetime.now(UTC)
            ).written()
        )["reason"]
        for verdict in (Verdict.REVIEW, Verdict.REJECTED, Verdict.DEAD_LETTER)
    }
    assert near == {verdict: stand_in(unknown, verdict) for verdict in near}
    assert len(set(near.values())) > 1


def test_words_of_a_later_version_are_kept() -> None:
    text = '{"id": "%s", "verdict": "unsure", "reason": "dusty", "decided_at": "2026-01-01T00:00Z"}'
    receipt = Receipt.model_validate_json(text % uuid4())
    assert (receipt.verdict, receipt.reason) == ("unsure", "dusty")
    assert not receipt.verdict.judged
