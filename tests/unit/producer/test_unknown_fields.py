"""What a message says beyond this version: judged, never passed, named and kept."""

from __future__ import annotations

from typing import Any

import pytest

from producer.contract import (
    ImageRef,
    Reason,
    SigningKeys,
    UnreadableMessageError,
    Verdict,
    parse_message,
)
from producer.contract.message import Envelope
from producer.contract.unknown import explained
from tests.unit.producer.test_message import message, picture
from workers.pipeline.inspection_request import InspectionRequest

DEEP: Any = "x"
for _ in range(40):
    DEEP = [DEEP]


def work_of(payload: dict[str, Any]) -> InspectionRequest:
    parsed = parse_message(payload)
    (image,) = parsed.images
    return InspectionRequest(image, parsed.envelope, "w1", parsed.unknown[image.id])


@pytest.mark.parametrize(
    ("image", "envelope", "words"),
    [
        ({"prat": "SN1"}, {}, "'prat' (is 'part' meant?)"),
        ({}, {"sites": "a"}, "'sites' (is 'site' meant?)"),
        ({"seen": {"size": 1, "blake3": "f"}}, {}, "'seen.blake3'"),
        ({"\ud800\0": 1}, {}, r"'\ud800\x00'"),
        ({f"{n}": n for n in range(9)}, {}, "and 4 more"),
    ],
)
def test_the_picture_is_judged_but_does_not_pass(
    image: dict[str, Any], envelope: dict[str, Any], words: str
) -> None:
    payload = message(picture(part="P", **image), **envelope)
    work = work_of(payload)
    assert work.image.part == "P"
    passed = work.record(Verdict.PASS, defect_class="good", confidence=0.9)
    assert (passed.verdict, passed.reason) == (Verdict.REVIEW, Reason.UNKNOWN_FIELDS)
    assert (passed.defect_class, passed.confidence) == ("good", 0.9)
    assert words in str(passed.detail)
    assert "update the workers" in str(passed.detail)
    defect = work.record(Verdict.DEFECT, defect_class="cut")
    assert (defect.verdict, defect.reason) == (Verdict.DEFECT, None)
    doubtful = work.record(Verdict.REVIEW, reason=Reason.NOVEL)
    assert doubtful.reason is Reason.NOVEL
    # A dead letter keeps them, so that a later version can judge the picture as it was meant.
    again = parse_message(work.message())
    assert again.images == (work.image,)
    assert again.unknown == {work.id: work.unknown}


def test_a_known_message_says_nothing_unknown() -> None:
    assert parse_message(message(picture(seen={"size": 1}), site="here")).unknown == {}


def test_an_unknown_value_too_deep_to_be_kept_is_refused() -> None:
    parsed = parse_message(message(picture(), picture(new=DEEP)))
    assert len(parsed.images) == 1
    assert "'new': nested more than 32" in parsed.refusals[0].detail
    with pytest.raises(UnreadableMessageError, match="nested"):
        parse_message(message(new=DEEP))


def test_the_signature_covers_them() -> None:
    keys = SigningKeys.parse("k:" + "s" * 32)
    signed = keys.sign(message(picture(new=[1]), newer={"a": 1}))
    assert len(parse_message(signed, keys, require_signature=True).unknown) == 1
    signed["newer"] = {"a": 2}
    with pytest.raises(UnreadableMessageError) as caught:
        parse_message(signed, keys)
    assert caught.value.reason is Reason.BAD_SIGNATURE


FIELDS: dict[str, Any] = {
    "seen": {"size": 7, "mtime_ns": -1, "inode": 2**64 - 1, "sha256": "a" * 64, "every": 2},
    "pass_number": 2,
    "views": ["top", "side"],
    "work_order": "W-7",
    "purpose": "challenge",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}


def test_the_fields_of_this_version_come_through() -> None:
    parsed = parse_message(message(picture(**FIELDS), site="Werk 2"))
    assert parsed.unknown == {}
    assert parsed.images[0].model_dump(mode="json").items() >= FIELDS.items()
    assert parsed.envelope.site == "Werk 2"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seen", bad) for bad in (7, {}, {"size": -1}, {"size": True}, {"size": "1"})),
        *(("seen", {"size": 1, **bad}) for bad in ({"sha256": "A" * 64}, {"every": 0})),
        *(("seen", {"size": 1, **bad}) for bad in ({"inode": 2**64}, {"mtime_ns": 1.5})),
        *(("pass_number", bad) for bad in (0, -1, True, "1", 1.0, 10**7)),
        *(("views", bad) for bad in ("top", [], ["a", "a "], [""], ["a\0"], [7], ["a"] * 65)),
        *(("work_order", bad) for bad in ("", "x" * 201, "W\0", "W\ud800", 7)),
        *(("purpose", bad) for bad in ("", "Challenge", "other", 7)),
        *(("trace_id", bad) for bad in ("0" * 32, "A" * 32, "a" * 31, "a" * 33, 7)),
    ],
)
def test_a_known_field_with_a_wrong_value_is_refused(name: str, value: object) -> None:
    parsed = parse_message(message(picture(**{name: value})))
    assert parsed.images == ()
    assert parsed.refusals[0].detail.startswith(name)


@pytest.mark.parametrize("site", ["", "x" * 65, "a\0", 7])
def test_a_wrong_site_makes_the_message_unreadable(site: object) -> None:
    with pytest.raises(UnreadableMessageError, match="site"):
        parse_message(message(site=site))


def test_a_sentence_has_a_bound() -> None:
    work = work_of(message(picture(**{"\U0001f527" * 500 + str(n): n for n in range(50)})))
    assert len(explained(work.unknown, (ImageRef, Envelope))) < 4000
