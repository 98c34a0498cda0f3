"""Why a message is refused: each reason code, and a sentence that says what was wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from producer.contract import (
    MAX_IMAGES,
    Reason,
    SigningKeys,
    UnreadableMessageError,
    parse_message,
)
from tests.unit.producer.test_message import message, picture

KEYS = SigningKeys.parse("k1:" + "ab" * 32)
Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("payload", "reason", "said"),
    [
        ("text", Reason.UNREADABLE_MESSAGE, "the message is not a JSON object"),
        (None, Reason.UNREADABLE_MESSAGE, "the message is not a JSON object"),
        (
            message(version=2),
            Reason.UNSUPPORTED_VERSION,
            "version 2 is not understood; this worker reads version 1",
        ),
        (
            message(images=[]),
            Reason.UNREADABLE_MESSAGE,
            f"images must be a list of 1 to {MAX_IMAGES}",
        ),
        (
            message(*[picture() for _ in range(MAX_IMAGES + 1)]),
            Reason.UNREADABLE_MESSAGE,
            f"images must be a list of 1 to {MAX_IMAGES}",
        ),
        (
            message(line=7),
            Reason.UNREADABLE_MESSAGE,
            "line: Input should be a valid string",
        ),
        (
            message(line="a\x07b", product="c\nd"),
            Reason.UNREADABLE_MESSAGE,
            "product: Value error, must hold no control characters; "
            "line: Value error, must hold no control characters",
        ),
    ],
)
def test_a_refusal_has_its_reason_and_says_what_was_wrong(
    payload: object, reason: Reason, said: str
) -> None:
    with pytest.raises(UnreadableMessageError) as refused:
        parse_message(payload)
    assert refused.value.reason is reason
    assert str(refused.value).startswith(said)


def test_each_wrong_field_is_named_up_to_five() -> None:
    changes = {"product": 1, "line": 2, "version": 1, "producer": 3, "enqueued_at": 4, "nonce": 5}
    with pytest.raises(UnreadableMessageError) as refused:
        parse_message(message(**changes))
    named = [part.split(":")[0] for part in str(refused.value).split("; ")]
    assert 3 <= len(named) <= 5
    assert set(named) <= set(changes)
    wrong = picture(captured_at="yesterday", size={"width": "x"})
    refusal = parse_message(message(wrong)).refusals[0]
    assert refusal.fields == wrong
    assert "captured_at: " in refusal.detail


def test_the_most_pictures_a_message_may_hold() -> None:
    full = message(*[picture() for _ in range(MAX_IMAGES)])
    parsed = parse_message(full)
    assert len(parsed.images) == MAX_IMAGES
    assert (parsed.envelope.product, parsed.envelope.line) == ("cable", "line-1")


def test_an_unsigned_message_is_read_unless_signatures_are_required() -> None:
    assert parse_message(message(), KEYS).images
    with pytest.raises(UnreadableMessageError, match="not signed") as refused:
        parse_message(message(), KEYS, require_signature=True)
    assert refused.value.reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("producer", "kept"), [("cam-1", "cam-1"), ("a b", None), (7, None), (["cam"], None)]
)
def test_only_a_producers_name_is_answered(producer: object, kept: str | None) -> None:
    with pytest.raises(UnreadableMessageError) as refused:
        parse_message(message(version=9, producer=producer))
    assert refused.value.producer == kept


def test_what_is_signed_with_an_unknown_key_says_so() -> None:
    signed = message(signature={"key": "k9", "mac": "00" * 32})
    with pytest.raises(UnreadableMessageError) as refused:
        parse_message(signed, KEYS)
    assert refused.value.reason is Reason.BAD_SIGNATURE
    said = "the message is signed with a key that this worker does not know"
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trace_id": "0" * 32}, "trace_id: Value error, must not be all zeros"),
        ({"views": ["a", "b", "a"]}, "views: Value error, must not name one twice"),
        ({"attempt": "2"}, "attempt: Value error, must be a whole number"),
        ({"attempt": True}, "attempt: Value error, must be a whole number"),
        ({"camera": "a\nb"}, "camera: Value error, must hold no control characters"),
    ],
)
def test_a_pictures_wrong_field_is_said_in_words(fields: dict[str, Any], said: str) -> None:
    refusal = parse_message(message(picture(**fields))).refusals[0]
    assert refusal.detail == said


@pytest.mark.parametrize(
    "fields",
    [{"trace_id": "0" * 31 + "1"}, {"views": ["a", "b"]}, {"attempt": 1.0}, {"attempt": 2}],
)
def test_what_is_just_right_is_read(fields: dict[str, Any]) -> None:
    parsed = parse_message(message(picture(**fields)))
    assert (len(parsed.images), parsed.refusals) == (1, ())
