"""Versions go from store to store as they are, whatever kind of URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from linewatch.errors import ModelError
from model_store.copies import all_versions, read_version, write_version
from model_store.heads.head import Head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore


@pytest.mark.parametrize("scheme", ["path", "memory"])
def test_every_version_is_found_and_copied_byte_for_byte(
    scheme: str, tmp_path: Path, head: Head, make_draft: Callable[..., ManifestDraft]
) -> None:
    url = str(tmp_path / "models") if scheme == "path" else f"memory://{uuid4()}"
    assert all_versions(url) == []
    store = ModelStore(url)
    names = [store.save(head, make_draft(product=code)).version for code in ("plug", "cable")]
    if scheme == "path":
        (tmp_path / "models" / "notes.txt").write_text("somebody's")
        (tmp_path / "models" / ".hidden").mkdir()
        (tmp_path / "models" / "cable" / "half").mkdir()
    assert all_versions(url) == [("cable", names[1]), ("plug", names[0])]
    content = read_version(url, "cable", names[1])
    target = str(tmp_path / "copy")
    write_version(target, "cable", names[1], content)
    assert ModelStore(target).verify("cable", names[1]) == store.verify("cable", names[1])
    assert read_version(target, "cable", names[1]) == content
    with pytest.raises(ModelError, match="exists already"):
        write_version(target, "cable", names[1], content)
    with pytest.raises(ModelError, match="names no model"):
        write_version(target, "..", "x", content)
