"""What a watched folder is scanned by goes on, whatever a scan meets."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest

from producer import ledger
from producer.folder.scan import FolderScan
from producer.names import PictureNames
from producer.spool import Spool
from tests.support.waiting import until


@pytest.mark.parametrize("appears", [False, True], ids=["in a scan", "in a new folder"])
def test_what_nobody_foresaw_ends_no_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, appears: bool
) -> None:
    folder, stop, broken, found = tmp_path / "pictures", Event(), Event(), list[Path]()
    folder.mkdir()
    picture = folder / "1.png"
    picture.touch()
    right = ledger.unknown

    def once(*given: Any) -> Any:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("nobody foresaw this")
        return right(*given)

    if not appears:
        monkeypatch.setattr(ledger, "unknown", once)
    scan = FolderScan(folder, PictureNames(), Spool(tmp_path / "s.db"), stop, recursive=True)
    scan.start(found.extend)
    try:
        if appears:
            scan.look_into(folder, before=once)
        until(broken.is_set)
        if appears:
            scan.look_into(folder)
            until(lambda: found == [picture])
        else:
            scan.again()
            until(lambda: scan.take(10) == [picture])
    finally:
        stop.set()
        scan.join()
