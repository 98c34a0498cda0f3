"""A folder of weights is replaced whole, or stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from vision.archive import drafted


def test_a_folder_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "int8"
    folder.mkdir()
    (folder / "model.xml").write_text("old")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target == folder and not self.name.endswith("-old"):
            raise OSError("no room for a name")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no room"), drafted(folder, replace=True) as draft:
        (draft / "model.xml").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["int8"]
    assert (folder / "model.xml").read_text() == "old"
