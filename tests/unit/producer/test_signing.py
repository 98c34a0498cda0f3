"""Signatures: what is signed verifies, what is changed does not, and keys rotate."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.errors import ConfigurationError
from producer.contract import Reason, SigningKeys, UnreadableMessageError, parse_message
from producer.contract.signing import canonical

OLD, NEW = "old:" + "o" * 32, "new:" + "n" * 32
KEYS = SigningKeys.parse(NEW)
MESSAGE: dict[str, Any] = {
    "version": 1,
    "product": "cable",
    "line": "line-1 · Straße 𝄞",
    "enqueued_at": "2026-01-01T00:00:00Z",
    "producer": "pc-1",
    "images": [
        {
            "id": "0197b3a0-0000-7000-8000-000000000000",
            "uri": "/a b.png",
            "camera": "c",
            "captured_at": "2026-01-01T00:00:00Z",
        }
    ],
}
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text().filter(lambda name: name != "signature"), json_values)


@given(objects)
def test_what_is_signed_verifies_after_a_trip_through_json(message: dict[str, Any]) -> None:
    received = json.loads(json.dumps(KEYS.sign(message)))
    assert KEYS.problem(received, required=True) is None


@given(objects, st.text(), json_values)
def test_a_changed_message_does_not(message: dict[str, Any], name: str, value: object) -> None:
    signed = KEYS.sign(message)
    changed = {**signed, name: value}
    if canonical(changed) != canonical(signed) or (name == "signature"):
        assert KEYS.problem(changed, required=True) is not None


@given(json_values)
def test_any_signature_is_judged_and_never_crashes(signature: object) -> None:
    assert KEYS.problem({**MESSAGE, "signature": signature}, required=True) is not None


@given(objects)
def test_the_order_of_keys_means_nothing(message: dict[str, Any]) -> None:
    assert canonical(dict(reversed(list(message.items())))) == canonical(message)


def test_keys_rotate() -> None:
    old, both, new = map(SigningKeys.parse, (OLD, f"{NEW},{OLD}", NEW))
    assert both.problem(old.sign(MESSAGE), required=True) is None
    assert both.problem(new.sign(MESSAGE), required=True) is None
    assert both.sign(MESSAGE)["signature"]["key"] == "new"
    assert "does not know" in str(new.problem(old.sign(MESSAGE), required=True))


def test_a_key_of_the_same_name_and_another_secret_does_not_verify() -> None:
    other = SigningKeys.parse("new:" + "x" * 32)
    assert "is not that of key 'new'" in str(KEYS.problem(other.sign(MESSAGE), required=False))


def test_unsigned_is_a_problem_only_where_signatures_are_required() -> None:
    assert KEYS.problem(MESSAGE, required=False) is None
    assert KEYS.problem(MESSAGE, required=True) == "the message is not signed"
    assert SigningKeys().problem(KEYS.sign(MESSAGE), required=False) is None
    assert "signature" not in SigningKeys().sign(KEYS.sign(MESSAGE))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just-a-secret-" + "x" * 32, "pair 1 is not id:secret"),
        ("a:short", "key 'a' is shorter than 32 bytes"),
        (f"{NEW}\n{NEW}", "key 'new' is there twice"),
        ("b/c:" + "x" * 32, "pair 1"),
    ],
)
def test_malformed_keys_are_named_without_their_secrets(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match="LINEWATCH_SIGNING_KEYS") as caught:
        SigningKeys.parse(text)
    assert says in str(caught.value)
    assert "x" * 32 not in str(caught.value)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": 2},
        {"images": []},
        {"images": "x"},
        {"signature": {"key": "new", "mac": "0" * 64}},
        {"signature": {"key": "unheard_of", "mac": "0" * 64}},
        {"signature": {}},
        {"signature": "x"},
        {"version": None, "signature": [1]},
    ],
)
def test_nothing_of_what_nobody_signed_is_answered_whatever_else_is_wrong_with_it(
    required: bool, changes: dict[str, Any]
) -> None:
    """Its ids and its producer may be those of another camera."""
    forged = {**MESSAGE, **changes}
    if not required and "signature" not in changes:
        return  # unsigned ones are read
    with pytest.raises(UnreadableMessageError) as caught:
        parse_message(forged, KEYS, require_signature=required)
    assert caught.value.reason is Reason.BAD_SIGNATURE
    assert (caught.value.ids, caught.value.producer) == ((), None)
    assert parse_message(KEYS.sign(MESSAGE), KEYS, require_signature=True).images


def test_what_is_signed_and_cannot_be_read_is_answered() -> None:
    with pytest.raises(UnreadableMessageError) as caught:
        parse_message(KEYS.sign({**MESSAGE, "version": 2}), KEYS, require_signature=True)
    assert caught.value.reason is Reason.UNSUPPORTED_VERSION
    assert [str(id_) for id_ in caught.value.ids] == [MESSAGE["images"][0]["id"]]
    assert caught.value.producer == "pc-1"


def test_a_message_with_infinity_has_no_signature() -> None:
    message = {**MESSAGE, "x": float("inf"), "signature": {"key": "new", "mac": "0" * 64}}
    assert "no canonical form" in str(KEYS.problem(message, required=True))


def test_no_secret_is_shown() -> None:
    assert "n" * 32 not in repr(KEYS)


@pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("openssl")), reason="jq or openssl is not installed"
)
def test_jq_and_openssl_sign_alike() -> None:
    text = subprocess.run(
        ["jq", "-cSaj", "del(.signature)"],
        input=json.dumps(MESSAGE, ensure_ascii=False).encode(),
        capture_output=True,
        check=True,
    ).stdout
    assert text == canonical(MESSAGE)
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "n" * 32, "-r"],
        input=text,
        capture_output=True,
        check=True,
    ).stdout.split()[0]
    assert digest.decode() == KEYS.sign(MESSAGE)["signature"]["mac"]
