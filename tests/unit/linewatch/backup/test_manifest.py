"""A manifest is read as it was written, and what is wrong with one is a sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from linewatch.backup.manifest import DatabaseCopy, FileDigest, Manifest, parsed
from linewatch.errors import BackupError


def a_manifest() -> dict[str, Any]:
    made = Manifest(
        linewatch="1",
        made_at=datetime(2026, 3, 2, tzinfo=UTC),
        host="h",
        database=DatabaseCopy(
            kind="sqlite", file="d", revision="1", rows={}, audit_head="0", timezone="UTC"
        ),
        files={"d": FileDigest(sha256="a", bytes=1)},
    )
    assert parsed(made.model_dump_json().encode(), "m") == made
    return made.model_dump(mode="json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format"),
        ({"more": 1}, "more"),
        ({"files": {}}, "no digest of 'd'"),
        ({"files": {"../d": {"sha256": "a", "bytes": 1}}}, "no digest of 'd'"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_one_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BackupError, match="m is cut, damaged or of a later version") as caught:
        parsed(json.dumps({**a_manifest(), **change}).encode(), "m")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_one_is_none() -> None:
    with pytest.raises(BackupError, match="cut"):
        parsed(b'{"format": 1, ', "m")
