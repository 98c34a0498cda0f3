"""A copy of a spool holds what waits, and sends it again wherever it is put back."""

import stat
from pathlib import Path

import pytest

from linewatch.errors import SpoolError
from producer.outbox import Outbox
from producer.spool import Spool
from producer.spool_copy import copy_spool, put_back
from producer.submission import Station, Submission, to_entry
from tests.unit.producer.test_spool import entry, receipt

STATION = Station("line-1", "cam-1", "cable")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """In use: two pictures of which it holds a copy, one of which it does not."""
    spool = Spool(tmp_path / "spool" / "line-1@cam-1.db")
    for name in ("a", "b"):
        picture = tmp_path / f"{name}.png"
        picture.write_bytes(name.encode())
        spool.add([to_entry(Submission(picture), STATION, None, spool.pictures_folder, 1024)])
    spool.add([entry()])
    return spool


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where a copy goes."""
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup" / "x.db"


def held(spool: Spool) -> dict[str, str]:
    return {row["id"]: row["uri"] for row in spool.export()}


def test_it_is_put_back_with_its_pictures_under_an_id_of_its_own(
    spool: Spool, copy: Path, tmp_path: Path
) -> None:
    copied = copy_spool(spool.path, copy)
    assert (copied.producer, copied.pictures, copied.copies) == (spool.producer_id, 3, 2)
    put_back(copy, tmp_path / "new" / "line-1@cam-1.db")
    again = Spool(tmp_path / "new" / "line-1@cam-1.db")
    assert list(held(again)) == list(held(spool))
    assert again.producer_id != spool.producer_id
    copies = [Path(uri) for uri in held(again).values()][:2]
    assert [path.read_bytes() for path in copies] == [b"a", b"b"]
    assert {path.parent for path in copies} == {again.pictures_folder}
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    assert list(held(again).values())[2] == list(held(spool).values())[2]
    outbox = Outbox(again.path)
    assert outbox.clear([receipt(id_) for id_ in held(again)]) == 3
    assert not any(path.exists() for path in copies)


def test_a_picture_that_is_judged_meanwhile_is_no_fault(spool: Spool, copy: Path) -> None:
    """Its row was copied, and its file is gone: its verdict is in the database."""
    (spool.pictures_folder / Path(next(iter(held(spool).values()))).name).unlink()
    copied = copy_spool(spool.path, copy)
    assert (copied.pictures, copied.copies) == (3, 1)
    put_back(copy, copy.with_name("again.db"))
    assert len(held(Spool(copy.with_name("again.db")))) == 3


def test_nothing_is_overwritten(spool: Spool, copy: Path, tmp_path: Path) -> None:
    copy_spool(spool.path, copy)
    pictures = tmp_path / "other" / "y.pictures"
    pictures.mkdir(parents=True)
    (pictures / "z.png").touch()
    for target in (spool.path, tmp_path / "other" / "y.db"):
        with pytest.raises(SpoolError, match="nothing is overwritten"):
            put_back(copy, target)
    assert len(held(spool)) == 3


def test_a_copy_that_cannot_be_put_back_leaves_nothing(
    spool: Spool, copy: Path, tmp_path: Path
) -> None:
    copy_spool(spool.path, copy)
    copy.write_bytes(copy.read_bytes()[:5000])
    with pytest.raises(SpoolError, match="cannot be put back"):
        put_back(copy, tmp_path / "new" / "x.db")
    assert [path for path in (tmp_path / "new").rglob("*") if path.is_file()] == []


def test_what_is_no_spool_is_said(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()
    with pytest.raises(SpoolError, match="is no spool"):
        copy_spool(tmp_path / "x.db", copy)
