"""The message contract: what is read, what is refused, and what is saved of the refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.contract import (
    InspectMessage,
    Reason,
    UnreadableMessageError,
    parse_message,
)


def picture(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": str(uuid.uuid4()),
        "uri": "/pictures/1.png",
        "camera": "cam-1",
        "captured_at": "2026-01-01T00:00:00Z",
    }
    return {**fields, **changes}


def message(*images: Any, **changes: Any) -> dict[str, Any]:
    fields = {
        "version": 1,
        "product": "cable",
        "line": "line-1",
        "enqueued_at": "2026-01-01T00:00:01+01:00",
        "images": list(images) or [picture()],
    }
    return {**fields, **changes}


def test_what_the_model_writes_the_parser_reads() -> None:
    built = InspectMessage.model_validate(message(picture(part="P1", lot="L1")))
    parsed = parse_message(built.model_dump(mode="json"))
    assert parsed.images == built.images
    assert parsed.refusals == ()


def test_one_bad_picture_does_not_spoil_its_neighbours() -> None:
    bad = picture(uri="")
    parsed = parse_message(message(picture(), bad, {"uri": "/x"}, picture()))
    assert len(parsed.images) == 2
    assert [str(refusal.id) for refusal in parsed.refusals] == [bad["id"], "None"]
    assert "uri" in parsed.refusals[0].detail


def test_the_same_id_twice_is_one_picture() -> None:
    same = picture()
    assert len(parse_message(message(same, same)).images) == 1


@pytest.mark.parametrize("version", [0, 2, "1", None, True, [1]])
def test_another_version_is_refused_whole_but_its_ids_are_saved(version: object) -> None:
    first = picture()
    with pytest.raises(UnreadableMessageError) as caught:
        parse_message(message(first, version=version, producer="p-1"))
    assert caught.value.reason is Reason.UNSUPPORTED_VERSION
    assert [str(id_) for id_ in caught.value.ids] == [first["id"]]
    assert caught.value.producer == "p-1"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        message(images=[]) | {"images": []},
        message() | {"images": [picture()] * 65},
        message(line=""),
        message(line="a\x00b"),
        message(enqueued_at="2026-01-01T00:00:00"),
        message(producer="../../etc"),
    ],
)
def test_an_unreadable_message_says_so(payload: object) -> None:
    with pytest.raises(UnreadableMessageError):
        parse_message(payload)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "not-a-uuid"},
        {"captured_at": "2026-01-01T00:00:00"},
        {"camera": "x" * 65},
        {"sha256": "ABC"},
        {"attempt": 0},
        {"part": "a\nb"},
    ],
)
def test_a_wrong_field_is_refused(changes: dict[str, Any]) -> None:
    parsed = parse_message(message(picture(**changes)))
    assert parsed.images == ()
    assert next(iter(changes)) in parsed.refusals[0].detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_read_or_refused_never_crashes(payload: object) -> None:
    with pytest.raises(UnreadableMessageError):
        parse_message(payload)


@given(st.lists(json_values, min_size=1, max_size=6))
def test_any_pictures_in_a_good_envelope_are_accounted_for(images: list[object]) -> None:
    parsed = parse_message(message() | {"images": images})
    assert len(parsed.images) + len(parsed.refusals) == len(images)
